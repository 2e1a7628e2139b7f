"""The whole road of automation, once, with real parts only: pages, SDK, work, mail server, link."""

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
import segment.analytics.client as segment
from playwright.sync_api import Page, expect

from lingxi.access import Credentials, Role
from lingxi.access.users import create_user
from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.app.tasks import TASKS
from lingxi.app.work import work_off
from lingxi.clock import FixedClock
from lingxi.experiments import in_holdout
from lingxi.ingest import find_customer
from messaging.email.sink import RunningSink, Sink
from server.collect.live import find_key, serve_shop
from server.pages.conftest import PASSWORD, Dashboard, submit_login

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MORNING = datetime(2026, 6, 30, 9, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
HISTORY = [f"old-{n}" for n in range(8)]
SHOPPERS = [f"c{n}" for n in range(12)]


@pytest.fixture
def sink() -> Iterator[RunningSink]:
    running = RunningSink(Sink())
    yield running
    running.stop()


@pytest.fixture
def shop(tmp_path: Path, sink: RunningSink) -> Iterator[Shop]:
    """A new shop with a catalogue, a mail server and a marketer; its clock stands still."""
    folder, clock = tmp_path / "shop", FixedClock(MORNING)
    init_shop(folder, name="Willow", currency="GBP", timezone="UTC", language="en").close()
    environ = {
        "LINGXI_MAIL_SENDER": "hello@willow.example",
        "LINGXI_MAIL_HOST": "127.0.0.1",
        "LINGXI_MAIL_PORT": str(sink.port),
        "LINGXI_MAIL_TLS": "none",
    }
    made = Shop.open(folder, clock=clock, environ=environ)
    items = tmp_path / "items.csv"
    items.write_text("item,name,price,url\nlamp,Brass lamp,30.00,https://willow.example/lamp\n")
    jobs.import_items(made, items)
    with made.store.write() as tx:
        create_user(tx, MORNING, Credentials("lin", PASSWORD), Role.MARKETER, actor="test")
    yield made
    made.close()


def test_from_a_segment_to_the_goal(shop: Shop, sink: RunningSink, dashboard: Dashboard) -> None:
    browser = dashboard.browser  # one Playwright a process
    with serve_shop(shop) as port:
        address = f"http://127.0.0.1:{port}"
        sdk = segment.Client(find_key(shop), host=address)
        tell_history(sdk)
        work_off(shop, TASKS)
        page = browser.new_context(base_url=address, reduced_motion="reduce").new_page()
        log_in(page, address)
        make_segment(page)
        take_simulate_and_publish(page)
        fill_carts(sdk)
        pass_time(shop, timedelta(minutes=59))
        assert sink.sink.taken == []
        pass_time(shop, timedelta(minutes=1))
        held_out = {who for who in SHOPPERS if is_held_out(shop, who)}
        letters = read_letters(sink)
        assert 0 < len(held_out) < len(SHOPPERS)
        assert set(letters) == set(SHOPPERS) - held_out
        pass_time(shop, timedelta(minutes=30))
        buyer = min(letters)
        click_and_buy(shop, sdk, letters[buyer], buyer)
        pass_time(shop, timedelta(days=1))
        offers = read_letters(sink, sent=len(letters))
        assert set(offers) == set(letters) - {buyer}
        assert len({find_code(letter) for letter in offers.values()}) == len(offers)
        log_in(page, address)
        look_at_the_run(page, buyer)
        look_at_the_messages(page, len(letters), len(held_out), buyer)


def log_in(page: Page, address: str) -> None:
    page.goto("/login")
    submit_login(page, "lin", PASSWORD)
    page.wait_for_url(address + "/")


def make_segment(page: Page) -> None:
    """Customers who may be written to: six of the eight that the shop knows."""
    page.get_by_role("link", name="Segments").click()
    page.locator("#new-name").fill("reachable")
    page.locator("form[action='/segments'] button").click()
    page.wait_for_url("**/segments/reachable")
    page.get_by_text("Add a condition").first.click()
    page.locator("button[value='add:r:consent']").click()
    page.locator("button[value='remove:r.all.0']").click()
    expect(page.locator("#count")).to_contain_text("6")
    page.locator("#title").fill("May be written to")
    page.locator("button[value=save]").click()
    page.wait_for_url("**/segments/reachable?done=saved")


def take_simulate_and_publish(page: Page) -> None:
    page.get_by_role("link", name="Journeys").click()
    page.locator("#name-cart-abandonment").fill("our-cart")
    page.locator("li", has=page.locator("#name-cart-abandonment")).get_by_role("button").click()
    page.wait_for_url("**/journeys/our-cart*")
    text = page.locator("#yaml")
    trigger = "trigger:"
    text.fill(text.input_value().replace(trigger, f"entry: {{segment: reachable}}\n{trigger}", 1))
    page.locator("form:has(#yaml) button").click()
    page.wait_for_url("**done=saved*")
    page.locator("#days").select_option("30")
    page.locator("form[action*='/try'] button").click()
    trial = page.locator("#trial-card")
    expect(trial.locator("table")).to_be_visible()
    expect(trial).to_contain_text("6 customers would have qualified")
    for template in ("cart-1", "cart-2"):
        row = trial.locator("tr", has_text=f"{template} sent")
        expect(row.locator("td")).to_have_text("6")
    page.locator("[data-opens=publish]").click()
    page.locator("#publish button.primary").click()
    page.wait_for_url("**done=published*")


def tell_history(sdk: segment.Client) -> None:
    """Eight carts of three weeks ago, two of them of customers who may not be written to."""
    start = datetime.now(UTC) - timedelta(days=20)
    for n, who in enumerate(HISTORY):
        at = start + timedelta(hours=n)
        traits = {"email": f"{who}@customer.example", "email_opt_in": n % 4 != 3}
        sdk.identify(who, traits, timestamp=at)
        sdk.track(who, "Product Added", {"product_id": "lamp", "cart_id": who}, timestamp=at)
    sdk.flush()


def fill_carts(sdk: segment.Client) -> None:
    for who in SHOPPERS:
        sdk.identify(who, {"email": f"{who}@customer.example", "email_opt_in": True})
        cart = {"product_id": "lamp", "cart_id": f"cart-{who}", "price": 30, "currency": "GBP"}
        sdk.track(who, "Product Added", cart)
    sdk.flush()


def pass_time(shop: Shop, step: timedelta) -> None:
    assert isinstance(shop.clock, FixedClock)
    work_off(shop, TASKS)
    shop.clock.advance(step)
    work_off(shop, TASKS)


def is_held_out(shop: Shop, who: str) -> bool:
    with shop.store.read() as tx:
        return in_holdout("journey:our-cart", find_customer(tx, who))


def read_letters(sink: RunningSink, sent: int = 0) -> dict[str, EmailMessage]:
    """What the mail server took after the first ``sent``, by customer; nobody got two."""
    letters: dict[str, EmailMessage] = {}
    for taken in sink.sink.taken[sent:]:
        letter = email.message_from_bytes(taken.original_content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        (address,) = taken.rcpt_tos
        assert letter["To"].addresses[0].addr_spec == address
        assert address not in letters
        letters[address.partition("@")[0]] = letter
    return letters


def click_and_buy(shop: Shop, sdk: segment.Client, letter: EmailMessage, who: str) -> None:
    body = letter.get_body(("html",))
    assert body is not None
    html = body.get_content()
    assert "Brass lamp" in html
    (link,) = set(re.findall(r'href="(http[^"]+/mail/c/[^"]+)"', html))
    path = "/" + link.split("/", 3)[3]
    answer = httpx.get(f"{sdk.host}{path}", headers={"User-Agent": PHONE})
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://willow.example/lamp?utm_source=lingxi")
    pass_time(shop, timedelta(minutes=1))
    order = {
        "order_id": "A-1",
        "total": 30,
        "currency": "GBP",
        "products": [{"product_id": "lamp", "price": 30, "quantity": 1}],
    }
    sdk.track(who, "Order Completed", order)
    sdk.flush()
    work_off(shop, TASKS)


def find_code(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    found = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", body.get_content())
    assert found is not None, body.get_content()
    return found.group()


def look_at_the_run(page: Page, buyer: str) -> None:
    page.get_by_role("link", name="Journeys").click()
    page.get_by_role("link", name="Cart abandonment").first.click()
    page.get_by_role("link", name="Customers on their way").click()
    page.locator("#f-customer").fill(buyer)
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("reached the goal")
    rows.get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("This customer reached the goal.")
    expect(page.locator("main")).to_contain_text("Order Completed")


def look_at_the_messages(page: Page, letters: int, held_out: int, buyer: str) -> None:
    """One of those in the journey bought, none of those held out; and why the letter was sent."""
    page.get_by_role("link", name="Cart abandonment").first.click()
    table = page.locator("#journey-report section", has=page.locator("#report"))
    for arm, n, buyers in (("With the journey", letters, 1), ("Held out", held_out, 0)):
        cells = table.locator("tr", has_text=arm).locator("td")
        expect(cells.nth(0)).to_have_text(str(n))
        expect(cells.nth(1)).to_have_text(str(buyers))
    page.get_by_role("main").get_by_role("link", name="Messages", exact=True).click()
    page.locator("#f-customer").fill(buyer)
    expect(page.locator("#results tbody tr")).to_have_count(1)
    page.locator("#results tbody tr a").first.click()
    page.wait_for_url("**/messages/*")
    expect(page.locator("section", has=page.locator("#steps"))).to_contain_text(
        "Clicked in a message"
    )
