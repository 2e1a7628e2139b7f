"""Our own script in a real browser, on pages of another origin than the server's."""

import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from urllib.parse import urlencode

import pytest
from live import FAILURES, Line, count_stored, find_key, open_line, serve_folder, serve_shop
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

from lingxi.app.shop import Shop
from lingxi.schema import Event
from lingxi.server.connect import find_client

HERE = Path(__file__).parent
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_SECONDS = 60.0
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.is_file():
        pytest.skip(f"needs Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Site:
    """A small shop's page with the script, in one visitor's browser."""

    shop: Shop
    line: Line
    address: str
    context: BrowserContext
    errors: list[str]

    def visit(self, **options: object) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        asked = {"host": self.line.address, "key": find_key(self.shop)} | options
        page.goto(f"{self.address}/shop/lx.html?{urlencode(asked)}")
        page.wait_for_function("window.lx && window.lx.version")
        return page

    def events(self) -> list[Event]:
        return [e for e in self.shop.store.log.read() if e.event_id.startswith("web:")]

    def names(self) -> Counter[str]:
        return Counter(e.name for e in self.events())

    def wait(self, page: Page, n: int) -> None:
        """Until the log holds ``n`` of the visitor's events, or patience ends."""
        end = monotonic() + PATIENCE_SECONDS
        while len(self.events()) < n and monotonic() < end:
            page.wait_for_timeout(100)


@pytest.fixture
def open_site(shop: Shop, browser: Browser) -> Iterator[Callable[..., Site]]:
    with ExitStack() as stack:
        errors: list[str] = []

        def make(failures: float = 0.0, init: str = "") -> Site:
            port = stack.enter_context(serve_shop(shop))
            line = stack.enter_context(open_line(port, seed=5, failures=failures))
            address = stack.enter_context(serve_folder(HERE))
            context = browser.new_context()
            stack.callback(context.close)
            if init:
                context.add_init_script(init)
            return Site(shop, line, address, context, errors)

        yield make
        assert errors == []


def test_what_a_visitor_does_arrives_in_the_vocabulary_of_the_specification(open_site) -> None:
    site = open_site()
    page = site.visit(n=2, utm_source="letter")
    site.wait(page, 6)
    assert site.names() == {
        "Page Viewed": 2,  # the script's own, and the shop's
        "Identified": 1,
        "Product Viewed": 1,
        "Product Added": 1,
        "Order Completed": 1,
    }
    (order,) = [e for e in site.events() if e.name == "Order Completed"]
    assert (order.order_id, order.amount_cents, order.cost_cents) == ("A-1", 1900, 300)
    assert order.properties["utm_source"] == "letter"
    assert order.properties["path"] == "/shop/lx.html"
    history = site.shop.answers.customer("ada").timeline
    assert {"Page Viewed", "Order Completed"} <= {entry.name for entry in history}


def test_three_failures_in_ten_lose_nothing_and_double_nothing(open_site) -> None:
    site = open_site(failures=FAILURES)
    page = site.visit(auto="false")
    for n in range(30):  # each a request of its own
        page.evaluate("n => lx.track('Step', {n})", n)
        page.wait_for_timeout(260)
    site.wait(page, 30)
    page.wait_for_timeout(1_500)
    assert site.line.failed > 3
    assert sorted(e.properties["n"] for e in site.events()) == list(range(30))
    assert set(count_stored(site.shop).values()) == {1}


def test_what_happens_as_the_page_is_left_arrives(open_site) -> None:
    site = open_site()
    page = site.visit(auto="false")
    page.click("#leave")
    page.wait_for_url("**/empty.html")
    site.wait(page, 2)
    assert site.names() == {"Product Added": 1, "Page Left": 1}
    page.close()


def test_a_closed_tab_over_a_dead_line_is_made_good_on_the_next_visit(open_site) -> None:
    site = open_site()
    site.line.failures = 1.0
    page = site.visit(auto="false")
    page.evaluate("lx.track('Kept', {n: 1})")
    page.wait_for_timeout(500)
    page.close()
    assert site.names()["Kept"] <= 1  # an answer may be cut off after the server took it
    site.line.failures = 0.0
    page = site.visit(auto="false")
    site.wait(page, 2)
    assert site.names()["Kept"] == 1


@pytest.mark.parametrize(
    "signal",
    [
        "Object.defineProperty(navigator, 'doNotTrack', {get: () => '1'})",
        "Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})",
    ],
)
def test_who_asks_not_to_be_tracked_is_not(open_site, signal: str) -> None:
    site = open_site(init=signal)
    page = site.visit(n=3)
    page.evaluate("lx.consent(true)")
    page.wait_for_timeout(800)
    assert site.events() == []
    assert site.line.done["passed"] == 0
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.evaluate("document.cookie") == ""


def test_consent_that_is_required_is_waited_for(open_site) -> None:
    site = open_site()
    page = site.visit(n=2, consent="required")
    page.wait_for_timeout(600)
    assert site.events() == []
    assert page.evaluate("Object.keys(localStorage)") == []
    page.evaluate("lx.consent({marketing: true, analytics: false}, 'v7')")
    site.wait(page, 8)
    names = site.names()
    assert names["Order Completed"] == 1
    assert (names["Consent Given"], names["Consent Withdrawn"]) == (1, 1)
    given = next(e for e in site.events() if e.name == "Consent Given")
    assert (given.properties["purpose"], given.properties["text_version"]) == ("marketing", "v7")
    later = site.visit(consent="required")  # remembered on the next page
    site.wait(later, 9)
    assert site.names()["Page Viewed"] == 3


def test_consent_refused_before_anything_was_sent_leaves_nothing(open_site) -> None:
    site = open_site()
    page = site.visit(n=2, consent="required")
    page.evaluate("lx.consent(false)")
    page.evaluate("lx.track('After', {})")
    page.wait_for_timeout(600)
    assert site.events() == []
    assert page.evaluate("Object.keys(localStorage)") == ["lx_consent"]


def test_consent_withdrawn_later_is_told_and_ends_it(open_site) -> None:
    site = open_site()
    page = site.visit(n=0)
    site.wait(page, 4)
    page.evaluate("lx.consent(false)")
    page.evaluate("lx.track('After', {})")
    site.wait(page, 7)
    names = site.names()
    assert names["Consent Withdrawn"] == 3  # marketing, personalisation, analytics
    assert names["After"] == 0
    page.wait_for_function(  # the copy goes when the page has read the answer
        "Object.keys(localStorage).join() === 'lx_consent'", timeout=1_000 * PATIENCE_SECONDS
    )


def test_log_out_makes_the_browser_a_stranger_and_a_second_login_somebody_else(open_site) -> None:
    site = open_site()
    page = site.visit(auto="false")
    for call in ("identify('ada')", "track('One')", "reset()", "track('Two')", "identify('bob')"):
        page.evaluate(f"lx.{call}")
    site.wait(page, 5)
    people = {e.name: e.subject for e in site.events()}
    assert people["One"] != people["Two"]
    for name in ("ada", "bob"):
        site.shop.answers.require_customer(name)


def test_a_browser_without_storage_still_tells_and_the_page_goes_on(open_site) -> None:
    forbidden = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }})"
    site = open_site(init=forbidden)
    page = site.visit(n=1)
    site.wait(page, 5)
    assert site.names()["Order Completed"] == 1


def test_pages_that_change_without_loading_count(open_site) -> None:
    site = open_site()
    page = site.visit()
    page.evaluate("history.pushState({}, '', '/shop/mug?id=1')")
    site.wait(page, 2)
    assert [e.properties["path"] for e in site.events()] == ["/shop/lx.html", "/shop/mug"]


def test_long_messages_in_any_script_arrive_and_what_cannot_be_sent_harms_none(open_site) -> None:
    site = open_site()
    page = site.visit(auto="false")
    page.evaluate(
        """() => {
          const ring = {}; ring.self = ring;
          lx.track("Ring", ring);
          lx.track("Huge", { text: "杯".repeat(20000) });
          for (let n = 0; n < 12; n += 1) lx.track("Wide", { n, text: "杯".repeat(9000) });
          const cup = { n: 1 }; lx.track("Cup", cup); cup.n = 2;
        }"""
    )
    site.wait(page, 13)
    assert site.names() == {"Wide": 12, "Cup": 1}
    assert [e.properties["n"] for e in site.events() if e.name == "Cup"] == [1]


def test_a_key_that_nobody_knows_is_not_tried_again(open_site) -> None:
    site = open_site()
    page = site.visit(auto="false", key="nobody")
    page.evaluate("lx.track('Lost')")
    page.wait_for_function("Object.keys(localStorage).every((name) => !name.startsWith('lx_q_'))")
    page.wait_for_timeout(1_500)
    assert site.line.done["passed"] == 1


def test_the_server_says_when_to_come_back(open_site) -> None:
    site = open_site()
    asked: list[str] = []
    page = site.visit(auto="false")
    page.clock.install()

    def refuse(route: Route) -> None:
        asked.append(route.request.method + (route.request.post_data or "")[:300])
        headers = {"retry-after": "40", "access-control-expose-headers": "retry-after"}
        route.fulfill(status=429, headers=headers | {"access-control-allow-origin": "*"})

    page.route("**/v1/batch", refuse)
    page.evaluate("lx.track('Late')")
    with page.expect_event("requestfinished"):
        page.clock.run_for(1_000)
    page.wait_for_timeout(300)  # for the script to have read the answer
    page.clock.run_for(38_000)
    assert len(asked) == 1, asked
    page.unroute("**/v1/batch")
    page.clock.run_for(3_000)
    site.wait(page, 1)
    assert site.names() == {"Late": 1}


def test_two_tabs_with_one_queue_count_once(open_site) -> None:
    site = open_site()
    site.line.failures = 1.0
    first = site.visit(auto="false")
    first.evaluate("lx.track('Shared')")
    second = site.visit(auto="false")
    second.evaluate("lx.track('Second')")
    second.wait_for_timeout(500)
    site.line.failures = 0.0
    site.wait(first, 2)
    first.wait_for_function("Object.keys(localStorage).every((name) => !name.startsWith('lx_q_'))")
    assert site.names() == {"Shared": 1, "Second": 1}


def test_a_log_out_before_the_consent_splits_two_people_all_the_same(open_site) -> None:
    site = open_site()
    page = site.visit(auto="false", consent="required")
    for call in ("identify('ada')", "reset()", "track('Two')", "consent(true)"):
        page.evaluate(f"lx.{call}")
    site.wait(page, 6)
    people = {e.name: e.subject for e in site.events()}
    assert people["Identified"] != people["Two"]


def test_one_may_identify_by_traits_only(open_site) -> None:
    site = open_site()
    page = site.visit(auto="false")
    page.evaluate("lx.identify(null, {email: 'ada@example.com'})")
    page.evaluate("lx.identify({email: 'ada@example.com'})")
    site.wait(page, 2)
    assert site.names() == {"Identified": 2}
    assert page.evaluate("localStorage.getItem('lx_user')") is None


def test_it_is_small_and_may_be_loaded_by_any_site(collector) -> None:
    answer = collector.client.get("/lx.js", headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in answer.headers
    assert len(gzip.compress(answer.content, 9)) < 4000
    assert int(answer.headers["content-length"]) < 4000
    headers = {"if-none-match": answer.headers["etag"]}
    assert collector.client.get("/lx.js", headers=headers).status_code == 304


def test_the_connect_page_offers_it_first() -> None:
    shown = find_client("").render(host="https://lx.shop.example", write_key="K")
    assert 'src="https://lx.shop.example/lx.js" data-key="K"' in shown


def test_the_example_shop_tells_what_its_visitor_does(open_site, tmp_path: Path) -> None:
    site = open_site()
    for path in (HERE.parents[2] / "examples" / "test_shop").iterdir():
        text = path.read_text(encoding="utf-8")
        assert path.suffix == ".js" or text.count("http://127.0.0.1:8787") == 1
        own = text.replace("http://127.0.0.1:8787", site.line.address)
        (tmp_path / path.name).write_text(own.replace("WRITE-KEY", find_key(site.shop)), "utf-8")
    with serve_folder(tmp_path) as address:
        page = site.context.new_page()
        page.on("pageerror", lambda error: site.errors.append(str(error)))
        page.goto(address)
        page.click("#yes")
        page.fill("[name=words]", "mug")
        page.click("#search button")
        page.fill("[name=customer]", "ada")
        page.click("#login button")
        for mug in ("Blue mug", "Red mug"):
            page.click(f"text={mug}")
            page.click("#add")
            if mug == "Blue mug":
                page.click("text=Go on shopping")
        for button in ("#remove", "#checkout", "#buy"):
            page.click(button)
        site.wait(page, 20)
    assert site.names() == {
        "Page Viewed": 6,
        "Cart Viewed": 2,
        "Consent Given": 3,
        "Products Searched": 1,
        "Identified": 1,
        "Product Viewed": 2,
        "Product Added": 2,
        "Product Removed": 1,
        "Checkout Started": 1,
        "Order Completed": 1,
    }
    history = site.shop.answers.customer("ada").timeline
    assert {"Order Completed", "Products Searched"} <= {entry.name for entry in history}
