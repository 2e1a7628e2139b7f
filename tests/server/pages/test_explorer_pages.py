"""The explorer says what it cannot use; the live page keeps up and keeps its place."""

from collections.abc import Iterator

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import expect

from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app.shop import Shop
from lingxi.i18n import load_catalogue
from lingxi.ingest.message import Message
from server.pages.test_without_a_browser import PASSWORD, log_in


@pytest.fixture
def client(app: Litestar, shop: Shop) -> Iterator[TestClient[Litestar]]:
    with shop.store.write() as tx:
        credentials = Credentials("ada", PASSWORD)
        create_user(tx, shop.clock.now(), credentials, Role.ADMINISTRATOR, actor="test")
    with TestClient(app, raise_server_exceptions=False) as client:
        client.headers.update({"accept": "text/html"})
        log_in(client)
        yield client


def test_items_that_the_shop_does_not_have_are_named(client, item_id) -> None:
    """They were left out without a word, so that a name typed for an id did nothing."""
    page = client.get("/explorer", params={"seen": f"{item_id}，NOPE", "item": "NEITHER"}).text
    said = load_catalogue("en")["explorer.unknown"]
    assert (said.plural or "").format(items="NOPE and NEITHER") in page
    page = client.get("/explorer", params={"seen": item_id}).text
    assert "NOPE" not in page


def test_too_many_items_are_told_on_the_page(client) -> None:
    """The list stayed as it was, and a message said to try again."""
    answer = client.get("/explorer", params={"seen": ",".join(f"i{n}" for n in range(150))})
    assert answer.status_code == 200
    assert "150 items; 100 are the most" in answer.text
    assert "i149" in answer.text


def test_a_placement_is_looked_at_with_chinese_commas(client, item_id) -> None:
    page = client.get("/placements/home", params={"history": f"{item_id}，NOPE"}).text
    plain = client.get("/placements/home", params={"history": f"{item_id},NOPE"}).text
    first = '<span class="note">'
    assert page.split(first)[1][:200] == plain.split(first)[1][:200]
    assert "Because" in page


@pytest.mark.browser
def test_the_live_page_keeps_its_first_line_and_the_focus(dashboard, open_page) -> None:
    """The list was drawn anew every two seconds: the focus was lost, and its head stayed old."""
    shop = dashboard.shop
    body = {"type": "track", "event": "Quiz Finished", "userId": "live-reader"}

    def send() -> None:
        raw = msgspec.json.encode(body)
        shop.intake.take([Message(body=body, raw=raw, received_at=shop.clock.now(), source="web")])

    send()
    page = open_page("/live")
    link = page.locator("#results tbody th a").first
    link.focus()
    name = link.get_attribute("id")
    before = page.locator("#answer").inner_text()
    send()
    expect(page.locator("#answer")).not_to_have_text(before, timeout=8000)
    assert page.evaluate("document.activeElement.id") == name
