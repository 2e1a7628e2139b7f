"""What messages lead to: a GET changes nothing, a POST needs no login, no link leads elsewhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from lingxi.app.mail.opt_ins import OptInRequest, list_opt_ins, request_opt_in, send_opt_ins
from lingxi.app.mail.work import settle
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer
from lingxi.ingest.consent import is_allowed, list_consent
from lingxi.messaging.email import is_suppressed, open_links
from lingxi.messaging.email.links import Links
from lingxi.messaging.email.tokens import Purpose, Ticket, seal, tag_of
from lingxi.profiles import put_traits
from lingxi.schema import Event, Name

ADDRESS = "mei@customer.example"
MESSAGE = "ab" * 16
IPHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148"}
Client = TestClient[Litestar]


@pytest.fixture
def customer(shop: Shop, customer_id: str) -> int:
    with shop.store.read() as tx:
        found = find_customer(tx, customer_id)
    put_traits(shop.store, found, {"email": ADDRESS})
    return found


@pytest.fixture
def links(shop: Shop) -> Links:
    """Links as paths of the test's own server."""
    return Links(open_links(shop.settings, shop.store.keyring).key, "")


@pytest.fixture
def unsubscribe(shop: Shop, links: Links, customer: int) -> str:
    return links.unsubscribe(MESSAGE, customer, shop.store.keyring.blind(ADDRESS), "offers")


@pytest.fixture
def preferences(shop: Shop, links: Links, customer: int) -> str:
    return links.preferences(MESSAGE, customer, shop.store.keyring.blind(ADDRESS))


@pytest.fixture
def may_write(shop: Shop, customer: int) -> Callable[[], bool]:
    """Whether e-mail that advertises may be sent to the customer."""

    def ask() -> bool:
        with shop.store.read() as tx:
            allowed = is_allowed(tx, shop.settings.consent, customer, "marketing", "email")
            hashed = shop.store.keyring.blind(ADDRESS)
            return allowed and not is_suppressed(tx, hashed, "marketing")

    return ask


def test_a_get_never_unsubscribes_and_sets_no_cookie(
    client: Client, unsubscribe: str, may_write: Callable[[], bool], shop: Shop
) -> None:
    before = shop.store.log.position()
    for _ in range(3):
        page = client.get(unsubscribe)
        assert page.status_code == 200
        assert "set-cookie" not in page.headers
        assert "m•••@customer.example" in page.text
        assert ADDRESS not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "noindex" in page.headers["x-robots-tag"]
    assert may_write()
    assert shop.store.log.position() == before


def test_a_head_is_answered_as_a_get_without_a_body_and_changes_nothing(
    client: Client,
    unsubscribe: str,
    preferences: str,
    may_write: Callable[[], bool],
    shop: Shop,
) -> None:
    """A scanner that asked for the headers of the unsubscribe link was told 405."""
    before = shop.store.log.position()
    for url in (unsubscribe, preferences, "/mail/unsubscribe/x", "/mail/confirm/x"):
        page, head = client.get(url), client.head(url)
        assert (head.status_code, head.content) == (page.status_code, b"")
        assert page.content
        for answer in (page, head):
            del answer.headers["x-request-id"]
        assert head.headers == page.headers
    assert may_write()
    assert shop.store.log.position() == before


def test_one_click_unsubscribes_without_login_cookie_or_redirect(
    client: Client, unsubscribe: str, may_write: Callable[[], bool], shop: Shop, customer: int
) -> None:
    body = {"List-Unsubscribe": "One-Click"}
    elsewhere = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    for _ in range(2):
        answer = client.post(unsubscribe, data=body, headers=elsewhere, follow_redirects=False)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert not may_write()
    with shop.store.read() as tx:
        (said,) = list_consent(tx, customer)
    assert (said.source, said.granted, said.text_version) == ("one_click", False, "preferences-1")


def test_one_click_as_multipart_and_by_our_own_button(
    client: Client, unsubscribe: str, may_write: Callable[[], bool]
) -> None:
    client.post(unsubscribe, content=b"x", headers={"content-type": "text/plain"})
    client.post(unsubscribe, data={"List-Unsubscribe": "no"})
    assert may_write()
    answer = client.post(unsubscribe, files={"List-Unsubscribe": (None, "One-Click")})
    assert answer.status_code == 200
    assert not may_write()
    assert "You are unsubscribed" in client.post(unsubscribe, data={"confirm": "yes"}).text


def test_a_link_that_nobody_signed_is_a_page_that_says_so(client: Client) -> None:
    for word in ("x", "é", "A" * 80, "%00", "a.b"):
        for kind in ("unsubscribe", "preferences", "confirm", "c"):
            page = client.get(f"/mail/{kind}/{word}", headers={"accept-language": "zh-CN"})
            assert page.status_code == 404
            assert "此链接无效" in page.text
            if kind != "c":
                answer = client.post(f"/mail/{kind}/{word}", data={"confirm": "yes"})
                assert answer.status_code == 404


def test_a_ticket_of_another_purpose_opens_nothing(
    client: Client, shop: Shop, customer: int, links: Links, may_write: Callable[[], bool]
) -> None:
    tag = tag_of(shop.store.keyring.blind(ADDRESS))
    word = seal(links.key, Ticket(Purpose.OPEN, MESSAGE, customer, tag))
    for kind in ("unsubscribe", "preferences", "confirm"):
        answer = client.post(f"/mail/{kind}/{word}", data={"confirm": "yes", "save": "none"})
        assert answer.status_code == 404
    assert may_write()


def test_preferences_are_kept_and_shown(
    client: Client, preferences: str, shop: Shop, customer: int
) -> None:
    page = client.get(preferences)
    assert page.text.count("checked") == 3
    kept = client.post(preferences, data={"save": "yes", "news/email": "yes"})
    assert "Saved." in kept.text
    assert kept.text.count("checked") == 1
    with shop.store.read() as tx:
        said = {(w.purpose, w.granted) for w in list_consent(tx, customer)}
    assert said == {("marketing/offers", False), ("marketing/reminders", False)}
    nothing = client.post(preferences, data={"save": "none", "news/email": "yes"})
    assert "you receive nothing that advertises" in nothing.text
    assert "checked" not in client.get(preferences).text
    assert "checked" not in client.post(preferences, data={"news/email": "yes"}).text


def test_pages_speak_the_customers_language(
    client: Client, preferences: str, unsubscribe: str, shop: Shop, customer: int
) -> None:
    assert "订阅设置" in client.get(preferences, headers={"accept-language": "zh"}).text
    put_traits(shop.store, customer, {"language": "zh-CN"})
    assert "退订" in client.get(unsubscribe, headers={"accept-language": "en"}).text
    assert "Unsubscribe" in client.get(f"{unsubscribe}?lang=en").text


def _clicks(shop: Shop) -> list[Event]:
    assert isinstance(shop.clock, FixedClock)
    settle(shop, shop.clock.now() + timedelta(minutes=1))
    return shop.store.log.read(names=[Name.MESSAGE_CLICKED, Name.MESSAGE_OPENED])


def test_a_click_goes_on_to_what_was_signed_and_is_noted(
    client: Client, shop: Shop, customer: int, links: Links
) -> None:
    target = "https://shop.example/cart?utm_source=me&x=1#top"
    url = links.click(MESSAGE, customer, shop.store.keyring.blind(ADDRESS), 1, target)
    answer = client.get(url, headers=IPHONE, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, target)
    assert "set-cookie" not in answer.headers
    assert client.head(url, headers=IPHONE, follow_redirects=False).status_code == 302
    found = _clicks(shop)
    assert [(e.properties["machine"], e.properties.get("sign")) for e in found] == [
        (False, None),
        (True, "head"),
    ]
    assert {e.properties["target"] for e in found} == {"shop.example/cart"}


def test_no_link_leads_to_what_was_not_signed(
    client: Client, shop: Shop, customer: int, links: Links
) -> None:
    good = links.click(MESSAGE, customer, shop.store.keyring.blind(ADDRESS), 1, "https://a.example")
    for url in (good + "?u=https://evil.example", good[:-2] + "xx", good + "/https://evil.example"):
        answer = client.get(url, headers=IPHONE, follow_redirects=False)
        assert answer.headers.get("location") in (None, "https://a.example")
    for bad in ("javascript:alert(1)", "//evil.example", "https://a@evil.example/"):
        url = links.click(MESSAGE, customer, "ab" * 32, 1, bad)
        assert client.get(url, headers=IPHONE, follow_redirects=False).status_code == 404


def test_the_picture_is_shown_to_anybody_and_noted_where_it_is_ours(
    client: Client, shop: Shop, customer: int, links: Links
) -> None:
    url = links.opened(MESSAGE, customer, shop.store.keyring.blind(ADDRESS))
    for path in (url, "/mail/o/forged.gif"):
        picture = client.get(path, headers=IPHONE)
        assert picture.headers["content-type"] == "image/gif"
        assert picture.content.startswith(b"GIF89a")
    client.get(url, headers={"user-agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"})
    assert [e.properties["machine"] for e in _clicks(shop)] == [False, True]


def test_double_opt_in_from_the_request_to_the_yes(
    client: Client, shop: Shop, customer: int, customer_id: str, may_write: Callable[[], bool]
) -> None:
    client.post(_unsubscribe_of(shop, customer), data={"confirm": "yes"})
    row = request_opt_in(shop, OptInRequest(customer_id, source="footer", text_version="v2"))
    assert send_opt_ins(shop, shop.clock.now()) == 1
    assert send_opt_ins(shop, shop.clock.now()) == 0
    letter = (shop.settings.folder / "outbox" / f"{row.id}.eml").read_text()
    assert f"Message-ID: <{row.id}@" in letter
    assert "List-Unsubscribe" not in letter  # asked for by somebody, so no list yet
    links = Links(open_links(shop.settings, shop.store.keyring).key, "")
    url = links.confirm(row.id, customer, shop.store.keyring.blind(ADDRESS))
    assert "Yes, send me e-mails" in client.get(url).text
    assert client.head(url).status_code == 200
    assert not may_write()
    assert isinstance(shop.clock, FixedClock)
    shop.clock.advance(timedelta(hours=1))
    assert "that is confirmed" in client.post(url, data={"confirm": "yes"}).text
    assert may_write()
    assert [r.state for r in list_opt_ins(shop, customer_id=customer_id)] == ["confirmed"]
    assert "that is confirmed" in client.get(url).text


def _unsubscribe_of(shop: Shop, customer: int) -> str:
    links = Links(open_links(shop.settings, shop.store.keyring).key, "")
    return links.unsubscribe(MESSAGE, customer, shop.store.keyring.blind(ADDRESS))


def test_only_these_take_a_form_without_its_token(app: Litestar) -> None:
    """Each of them is signed by itself: an event's write key, a webhook, a link of a message."""
    exempt = {
        handler_path
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for handler_path in [route.path]
        if handler.opt.get("unguarded")
        and not {"GET", "HEAD", "OPTIONS"} >= set(handler.http_methods)
    }
    ours = {path for path in exempt if path.startswith("/mail/")}
    assert ours == {
        f"/mail/{kind}/{{word:str}}" for kind in ("unsubscribe", "preferences", "confirm")
    }
