"""From a template's files to a message at its channel, through the shop itself."""

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from lingxi.app.jobs import import_items
from lingxi.app.messages.goods import count_cart
from lingxi.app.shop import Shop, init_shop
from lingxi.app.tasks import TASKS
from lingxi.app.work import choose_tasks, work_off
from lingxi.clock import FixedClock
from lingxi.errors import InvalidInput, UnknownCustomer, UnknownMessage, UnknownTemplate
from lingxi.experiments import HOLDOUT, TREATED, log_arm
from lingxi.ingest import resolve_subjects
from lingxi.messaging.templates.template import Template, Variant
from lingxi.profiles import put_traits
from lingxi.schema import Event, Line

MakeOnce = Callable[[str, Callable[[Path], None]], Path]
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BODY = """<mjml><mj-body>
<mj-section><mj-column><mj-text>Hello {{ customer.first_name | default: "you" }}
<a href="{{ links.unsubscribe }}">unsubscribe</a></mj-text></mj-column></mj-section>
{% render "cart", title: "Your cart" %}</mj-body></mjml>"""
CART = Template(
    name="cart",
    channel="email",
    category="reminders",
    required=("cart.items",),
    variants={
        "en": Variant(kind="mjml", subject="{{ cart.count }} waiting, {{ cart.total }}", body=BODY),
        "zh": Variant(kind="html", subject="购物车", body="{% render 'cart' %}"),
    },
)


@pytest.fixture
def shop(make_once: MakeOnce, tmp_path: Path) -> Iterator[Shop]:
    """A copy of a shop that sells lamps, and has run out of shades."""

    def build(folder: Path) -> None:
        made = init_shop(
            folder, name="Lamps", currency="GBP", timezone="UTC", language="en",
            clock=FixedClock(NOON),
        )  # fmt: skip
        feed = folder / "items.csv"
        feed.write_text(
            "item_id,name,price,stock,url,image\n"
            "L1,Lamp,30.00,5,https://shop.example/l1,https://shop.example/l1.png\n"
            "S1,Shade,5.50,0,https://shop.example/s1,\n"
        )
        import_items(made, feed)
        made.close()

    folder = tmp_path / "shop"
    shutil.copytree(make_once("lamps", build), folder)
    opened = Shop.open(folder, clock=FixedClock(NOON))
    yield opened
    opened.close()


def add_customer(shop: Shop, name: str, **traits: str) -> int:
    customer = resolve_subjects(shop.store, "user_id", [name], known=True)[name]
    if traits:
        put_traits(shop.store, customer, traits)
    return customer


def read_letter(shop: Shop) -> EmailMessage:
    [path] = (shop.settings.folder / "outbox").rglob("*.eml")
    return message_from_bytes(path.read_bytes(), policy=default)


def tell(shop: Shop, name: str, customer: int, minute: int, *lines: Line, cents: int = 0) -> None:
    shop.store.log.append(
        [
            Event(
                event_id=f"{name}-{customer}-{minute}",
                name=name,
                occurred_at=NOON - timedelta(minutes=60 - minute),
                received_at=NOON,
                subject=customer,
                lines=lines,
                amount_cents=cents or None,
                order_id=f"o{customer}-{minute}" if name == "Order Completed" else None,
                currency="GBP",
            )
        ]
    )


def test_a_carts_reminder_goes_the_whole_way(shop: Shop) -> None:
    ada = add_customer(shop, "ada", email="ada@example.org", first_name="Ada & Co")
    tell(shop, "Product Added", ada, 10, Line("L1", 2), Line("S1"))
    shop.templates.put(CART, actor="test")
    seen = shop.templates.preview("cart", customer_id="ada")
    assert (seen.subject, seen.missing, seen.customer_id) == ("2 waiting, £60.00", (), "ada")
    assert "Ada &amp; Co" in seen.html
    assert "Lamp (https://shop.example/l1) × 2" in seen.text
    assert "Shade" not in seen.text  # out of stock
    with pytest.raises(InvalidInput, match="never published"):
        shop.messages.queue("cart", "ada")
    assert shop.templates.publish("cart", actor="test").template.published == 1
    queued = shop.messages.queue("cart", "ada", key="1")
    assert shop.messages.queue("cart", "ada", key="1").id == queued.id
    why = shop.messages.why(queued.id)
    assert why.now is not None
    assert why.now.code == "message.would_go"
    sender = choose_tasks(TASKS, ["sender"])
    assert work_off(shop, sender).done == {"sender": 1}
    letter = read_letter(shop)
    assert str(letter["To"]).endswith("<ada@example.org>")
    assert letter["Subject"] == "2 waiting, £60.00"
    told = shop.messages.why(queued.id)
    assert told.message.state == "accepted"
    assert [step.name for step in told.steps] == ["Message Queued", "Message Accepted"]
    [listed] = shop.messages.list_all(customer_id="ada").messages
    assert (listed.id, listed.template_version) == (queued.id, 1)


def test_a_cart_that_was_bought_holds_its_reminder_back(shop: Shop) -> None:
    ada = add_customer(shop, "ada", email="ada@example.org")
    tell(shop, "Product Added", ada, 10, Line("L1"))
    shop.templates.put(CART, actor="test")
    shop.templates.publish("cart", actor="test")
    queued = shop.messages.queue("cart", "ada")
    tell(shop, "Order Completed", ada, 20, Line("L1"), cents=3000)
    worked = work_off(shop, choose_tasks(TASKS, ["sender"]))
    assert worked.kinds == {"sender": {"skipped": 1}}
    view = shop.messages.why(queued.id).message
    assert (view.state, view.reason, view.why.code) == (
        "skipped",
        "unresolved",
        "message.reason.unresolved",
    )
    assert "cart.items" in view.detail
    report = shop.messages.report(template="cart")
    assert [(c.state, c.reason, c.n) for c in report.counts] == [("skipped", "unresolved", 1)]


def test_the_cart_is_what_was_added_since_the_last_order() -> None:
    def event(name: str, item_id: str, quantity: int, minute: int) -> Event:
        at = NOON + timedelta(minutes=minute)
        return Event(
            event_id=str(minute), name=name, occurred_at=at, received_at=at,
            lines=(Line(item_id, quantity),),
        )  # fmt: skip

    events = [
        event("Product Removed", "B", 1, 9),
        event("Product Added", "A", 1, 8),
        event("Product Added", "B", 1, 7),
        event("Product Added", "C", 2, 6),
        event("Order Completed", "A", 1, 5),
        event("Product Added", "A", 9, 4),
    ]
    assert count_cart(events, NOON) == {"A": 1, "C": 2}
    assert count_cart(events, NOON + timedelta(minutes=7)) == {"A": 1}


def test_items_that_ran_out_and_segments_that_were_left_keep_a_message_back(shop: Shop) -> None:
    add_customer(shop, "ada", email="ada@example.org")
    hello = Template(name="hi", channel="email", variants={"en": Variant(subject="s", body="b")})
    shop.templates.put(hello, actor="test")
    shop.templates.publish("hi", actor="test")
    ids = [
        shop.messages.queue("hi", "ada", key=str(n), context=context).id
        for n, context in enumerate(
            [{"item_id": "S1"}, {"item_ids": "S1,L1"}, {"segment": "gone"}, {"coupon": 5}]
        )
    ]
    work_off(shop, choose_tasks(TASKS, ["sender"]))
    reasons = [shop.messages.why(each).message.reason for each in ids]
    assert reasons == ["out_of_stock", "", "left_segment", "coupon_invalid"]


def test_a_message_on_the_site_is_fetched_shown_and_closed(shop: Shop) -> None:
    add_customer(shop, "ada")
    banner = Template(
        name="banner",
        channel="on_site",
        variants={"en": Variant(kind="html", title="Hi", body="<b>{{ shop.name }}</b>")},
    )
    shop.templates.put(banner, actor="test")
    shop.templates.publish("banner", actor="test")
    queued = shop.messages.queue("banner", "ada")
    work_off(shop, choose_tasks(TASKS, ["sender"]))
    [shown] = shop.messages.list_on_site(customer_id="ada").messages
    assert (shown.id, shown.html, shown.slot) == (queued.id, "<b>Lamps</b>", "banner")
    assert shop.messages.list_on_site(anonymous_id="nobody").messages == ()
    shop.messages.close_on_site(queued.id)
    assert shop.messages.list_on_site(customer_id="ada").messages == ()
    names = [step.name for step in shop.messages.why(queued.id).steps]
    assert names[1:] == ["Message Accepted", "Message Shown", "Message Closed"]


def test_a_test_goes_to_its_address_marked_and_counts_nowhere(shop: Shop) -> None:
    ada = add_customer(shop, "ada", email="ada@example.org")
    shop.templates.put(CART, actor="test")
    with pytest.raises(InvalidInput, match=r"cart\.items"):
        shop.templates.send_test("cart", "me@example.org", actor="test")
    tell(shop, "Product Added", ada, 10, Line("L1"))
    sent = shop.templates.send_test("cart", "me@example.org", actor="test", customer_id="ada")
    assert sent.outcome == "accepted"
    letter = read_letter(shop)
    assert (letter["To"], letter["Subject"]) == ("me@example.org", "[Test] 1 waiting, £30.00")
    assert shop.messages.list_all().messages == ()


def test_a_journey_is_told_against_those_held_out_with_an_interval(shop: Shop) -> None:
    for number in range(40):
        customer = add_customer(shop, f"c{number}")
        arm = HOLDOUT if number % 4 == 0 else TREATED
        with shop.store.write() as tx:
            log_arm(shop.store.log, tx, "journey:welcome", customer, arm, NOON - timedelta(days=1))
        if number % 2:  # none of those held out
            tell(shop, "Order Completed", customer, 5, Line("L1"), cents=1000)
    report = shop.messages.report(journey="welcome", days=30)
    [outcome] = report.outcomes
    assert [(a.arm, a.customers, a.buyers) for a in outcome.arms] == [
        (TREATED, 30, 20),
        (HOLDOUT, 10, 0),
    ]
    assert outcome.buyers_share is not None
    assert outcome.buyers_share.value == pytest.approx(2 / 3)
    assert 0 < outcome.buyers_share.low < 2 / 3 < outcome.buyers_share.high <= 1
    assert outcome.revenue_cents is not None
    assert outcome.revenue_cents.value == pytest.approx(2000 / 3)
    assert shop.messages.report(journey="nobody").outcomes == ()
    assert shop.messages.report(journey="welcome", days=1).outcomes[0].arms[0].buyers == 20


def test_pages_of_the_log_hold_each_message_once(shop: Shop) -> None:
    add_customer(shop, "ada")
    hello = Template(name="hi", channel="email", variants={"en": Variant(subject="s", body="b")})
    shop.templates.put(hello, actor="test")
    shop.templates.publish("hi", actor="test")
    ids = {shop.messages.queue("hi", "ada", key=str(n)).id for n in range(5)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = shop.messages.list_all(n=2, cursor=cursor)
        seen += [each.id for each in page.messages]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert (len(seen), set(seen)) == (5, ids)


def test_what_is_not_there_is_said(shop: Shop) -> None:
    for error, call in (
        (UnknownTemplate, lambda: shop.templates.describe("gone")),
        (UnknownTemplate, lambda: shop.templates.preview("gone")),
        (UnknownMessage, lambda: shop.messages.why("gone")),
        (UnknownMessage, lambda: shop.messages.close_on_site("gone")),
        (UnknownCustomer, lambda: shop.messages.list_all(customer_id="gone")),
        (InvalidInput, lambda: shop.messages.list_all(state="gone")),
        (InvalidInput, lambda: shop.messages.list_all(cursor="gone")),
        (InvalidInput, lambda: shop.messages.report(days=0)),
    ):
        with pytest.raises(error):
            call()


def test_a_draft_tells_what_is_doubtful(shop: Shop) -> None:
    body = '<p>{{ nobody }} <a href="http://x.example/">x</a> <a href="">y</a></p>'
    shop.templates.put(
        Template(
            name="odd", channel="email", required=("gone.x",),
            variants={"en": Variant(kind="html", subject="s", body=body)},
        ),
        actor="test",
    )  # fmt: skip
    found = [
        each.code.removeprefix("template.finding.")
        for each in shop.templates.describe("odd").findings
    ]
    assert found == [
        "language", "category", "value", "required", "link_insecure", "link_empty", "unsubscribe",
    ]  # fmt: skip


def test_a_draft_tells_of_mjml_that_is_none_and_a_channel_that_is_not_there(shop: Shop) -> None:
    bodies = {
        "en": "<mjml><mj-body>{{ links.unsubscribe }}",
        "zh": "<mjml><mj-body></mj-body></mjml>",
    }
    for name, channel, kind in (("broken", "email", "mjml"), ("lost", "pigeon", "text")):
        variants = {
            language: Variant(kind=kind, subject="s", body=body + "{{ links.unsubscribe }}")
            for language, body in bodies.items()
        }
        template = Template(name=name, channel=channel, category="news", variants=variants)
        shop.templates.put(template, actor="test")
    found = [
        [
            (each.code, each.params.get("language"))
            for each in shop.templates.describe(name).findings
        ]
        for name in ("broken", "lost")
    ]
    assert found == [[("template.finding.mjml", "en")], [("template.finding.channel", None)]]


def test_a_webhook_of_a_journey_needs_no_template(shop: Shop) -> None:
    from lingxi.messaging.nouns import Message
    from lingxi.messaging.sending.judgement import Composed, Links, Reader

    message = Message(
        id="0" * 32, customer=1, channel="webhook", template="webhook", queued_at=NOON,
        context={"url": "https://erp.example/x", "order_id": "7"}, journey="j", run="r",
    )  # fmt: skip
    with shop.store.read() as tx:
        made = shop.postroom.composer.compose(
            tx, message, Reader(1, (1,), {}, "en", "UTC"), Links(), NOON
        )
    assert isinstance(made, Composed)
    assert made.content.url == "https://erp.example/x"
    assert json.loads(json.dumps(made.content.data))["order_id"] == "7"
    assert set(shop.postroom.channels) == {"email", "on_site", "webhook"}
