"""Pages of the collector: what is said of a message, of its source, and to whom it is said."""

import html
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.i18n import load_catalogue
from lingxi.ingest.message import Message
from lingxi.server.app import set_shop
from server.pages.test_without_a_browser import PASSWORD, log_in, read_token


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    shop = init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en")
    with shop.store.write() as tx:
        for name, role in (("ada", Role.ADMINISTRATOR), ("vera", Role.VIEWER)):
            create_user(tx, shop.clock.now(), Credentials(name, PASSWORD), role, actor="test")
    yield shop
    shop.close()


@pytest.fixture
def client(addresses: Litestar, shop: Shop) -> Iterator[TestClient[Litestar]]:
    set_shop(addresses, shop)
    with TestClient(addresses, raise_server_exceptions=False) as client:
        client.headers.update({"accept": "text/html"})
        log_in(client)
        yield client


def send(shop: Shop, *bodies: dict[str, object]) -> None:
    now = shop.clock.now()
    messages = [
        Message(body=body, raw=msgspec.json.encode(body), received_at=now, source="web")
        for body in ({"type": "track", **body} for body in bodies)
    ]
    shop.intake.take(messages)


def word(language: str, code: str) -> str:
    return load_catalogue(language)[code].singular


def post(client: TestClient[Litestar], address: str, **form: str) -> str:
    token = read_token(client.get("/settings").text)
    return client.post(address, data={"_csrf_token": token, **form}).text


def test_a_message_mended_in_vain_tells_why_it_waits_now(client, shop) -> None:
    """It said "the reason is shown above" over the reason of the bytes that had come."""
    send(shop, {"event": "Product Viewed", "userId": "u"})
    number = shop.answers.waiting().rows[0].id
    page = post(client, f"/quarantine/{number}", text='{"type": "track", "userId": "u"}')
    told = page[page.index('role="alert"') :]
    assert word("en", "clean.reason.event_missing") in told[:300]


def test_a_form_for_a_source_keeps_what_was_typed_and_speaks_chinese(client) -> None:
    client.cookies.set("lingxi_language", "zh")
    page = post(
        client,
        "/sources",
        name="till 1",
        kind="server",
        secret="s3cret",
        origins="https://a.example",
    )
    assert word("zh", "sources.problem.name") in page
    assert 'value="till 1"' in page
    assert '<option value="server" selected>' in page
    assert 'value="https://a.example"' in page
    assert "s3cret" not in page


def test_a_reason_leads_to_where_something_waits_for_it(client, shop, tmp_path: Path) -> None:
    """Reasons of files led to the collector's quarantine, which was empty."""
    send(shop, {"event": "Product Viewed", "userId": "u"})
    path = tmp_path / "orders.csv"
    lines = ["invoice,stock_code,quantity,invoice_date,unit_price,customer_id"]
    path.write_text("\n".join([*lines, "1,A,1,2026-01-02,2.50,c", "2,A,1,,2.50,c", ""]))
    jobs.import_orders(shop, path)
    page = client.get("/sources").text
    [of_messages] = shop.answers.waiting().by_reason
    [of_lines] = shop.answers.quality().quarantined_by_reason
    assert f'"/quarantine?reason={of_messages}"' in page
    assert f'"/quality?reason={of_lines}#quarantine"' in page
    assert f'"/quarantine?reason={of_lines}"' not in page


def test_only_customers_with_an_address_can_be_reached_by_email(client, shop) -> None:
    """Everybody who had not refused was counted, with an address or without."""
    said = {"purpose": "marketing", "channel": "email"}
    send(
        shop,
        {"event": "E", "userId": "nowhere"},
        {"type": "identify", "userId": "here", "traits": {"email": "here@example.org"}},
        {"type": "identify", "userId": "unwilling", "traits": {"email": "no@example.org"}},
        {"event": "Consent Withdrawn", "userId": "unwilling", "properties": said},
    )
    view = shop.answers.consents()
    assert (view.customers, view.reachable) == (3, 1)
    assert "1 customer of 3" in client.get("/consent").text


def test_consent_of_an_empty_shop_is_no_zero(client) -> None:
    page = client.get("/consent").text
    assert word("en", "consent.answer.nobody") in page


def test_a_viewer_is_not_led_to_messages_that_he_may_not_open(client, shop) -> None:
    send(shop, {"event": "Quiz Finished", "userId": "u"})
    assert 'href="/live/1"' in client.get("/live").text
    client.cookies.clear()
    token = read_token(client.get("/login").text)
    form = {"_csrf_token": token, "name": "vera", "password": PASSWORD}
    client.post("/login", data=form)
    page = client.get("/live").text
    assert "Quiz Finished" in page
    assert 'href="/live/1"' not in page
    assert word("en", "live.who") in page


def test_an_event_whose_cleaning_is_forgotten_does_not_claim_that_nothing_was_changed(
    client, shop, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    head = "invoice,stock_code,quantity,invoice_date,unit_price,customer_id"
    path.write_text(f"{head}\n1,A,1,2026-01-02,2.50,c\n")
    jobs.import_orders(shop, path)
    send(shop, {"event": "Quiz Finished", "userId": "u"})
    assert word("en", "trace.steps.none") in client.get("/live/1").text
    page = client.get("/events/1").text
    assert word("en", "trace.steps.none") not in page
    assert word("en", "trace.steps.gone") in page


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/placements/nope", "unknown_placement"),
        ("/customers/nope", "unknown_customer"),
        ("/nothing/here", "not_found"),
    ],
)
def test_an_error_tells_a_chinese_reader_what_to_do_in_chinese(client, address, code) -> None:
    client.cookies.set("lingxi_language", "zh")
    page = client.get(address).text
    assert word("zh", f"error.{code}") in page
    assert word("zh", f"error.why.{code}") in page
    assert '<p lang="en">' not in page


def test_what_came_of_an_item_without_a_name_is_its_id(client, shop) -> None:
    """A line of the timeline said "1 ×" and nothing."""
    item = {"product_id": "NAMELESS-1"}
    send(shop, {"event": "Product Added", "userId": "u", "properties": item})
    page = client.get("/customers/u").text
    assert "NAMELESS-1" in page
    assert word("en", "customer.churn.no_orders") in page


def test_who_may_not_do_something_is_still_logged_in(client) -> None:
    """The page that refused had neither the user's name nor a way to log out that worked."""
    client.cookies.clear()
    token = read_token(client.get("/login").text)
    client.post("/login", data={"_csrf_token": token, "name": "vera", "password": PASSWORD})
    refused = client.get("/quarantine")
    assert refused.status_code == 403
    assert "vera" in refused.text
    form = {"_csrf_token": read_token(refused.text)}
    assert client.post("/logout", data=form, follow_redirects=False).status_code == 303


def test_fields_that_are_kept_apart_are_named(client, shop) -> None:
    """An address came in and was gone, though "no step changed anything"."""
    quiz = {"url": "https://shop.example/lamps?q=brass"}
    send(shop, {"event": "Quiz Finished", "userId": "u", "properties": quiz})
    told = html.unescape(client.get("/live/1").text)
    assert f"{word('en', 'trace.apart')} <code>url</code>" in told


def test_a_file_that_was_imported_once_is_no_source_that_fell_silent(
    client, shop, tmp_path
) -> None:
    path = tmp_path / "orders.csv"
    head = "invoice,stock_code,quantity,invoice_date,unit_price,customer_id"
    path.write_text(f"{head}\n1,A,1,2026-01-02,2.50,c\n")
    jobs.import_orders(shop, path)
    page = client.get("/sources").text
    assert word("en", "sources.state.file") in page
    assert word("en", "sources.state.silent") not in page


def test_a_replay_that_helped_nobody_says_so(client, shop) -> None:
    """ "0 messages passed this time" was said in green, and no more."""
    send(shop, {"event": "Product Viewed", "userId": "u"}, {"userId": "u"})
    page = post(client, "/quarantine/replay", reason="", source="")
    assert "None passed: all 2 still wait" in page
