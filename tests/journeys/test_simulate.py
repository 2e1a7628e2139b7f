"""Simulation: the answer is known by construction, comes again the same, and leaves no trace."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from lingxi.app.definitions.apply import apply_folder
from lingxi.app.journeys.gallery import GALLERY, ORDER, read_ready
from lingxi.app.journeys.outcome import compare
from lingxi.app.journeys.simulate import simulate
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.errors import InvalidInput
from lingxi.experiments import in_holdout
from lingxi.journeys import Journey, read_journey
from lingxi.messaging.templates import book as templates
from lingxi.messaging.templates.template import Template, Variant
from lingxi.schema import Event
from lingxi.store.tables import event as log_table
from lingxi.store.tables import identity

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def happen(n: int, name: str, customer: int, at: datetime, cents: int | None = None) -> Event:
    return Event(
        event_id=f"e{n}",
        name=name,
        subject=customer,
        occurred_at=at,
        received_at=at,
        amount_cents=cents,
        properties={"cart_id": f"cart-{customer}"},
    )


def make(**changes: object) -> Journey:
    """An hour after a cart, unless an order came: one message."""
    form = {
        "name": "cart",
        "trigger": {"kind": "event", "events": ["Product Added"], "key": "cart_id"},
        "purpose": "marketing",
        "caps": {"week": 1},
        "holdout": 0,
        "reentry": {"mode": "always"},
        "goal": {"event": "Order Completed"},
        "steps": {
            "wait": {"kind": "wait", "duration": "1h", "next": "mail"},
            "mail": {"kind": "message", "template": "t", "channel": "on_site", "next": "later"},
            "later": {"kind": "wait", "duration": "3d", "next": "end"},
            "end": {"kind": "end"},
        },
        **changes,
    }
    return read_journey(form)


def fill(shop: Shop, events: Sequence[Event], customers: Sequence[int]) -> None:
    with shop.store.write() as tx:
        rows = [{"subject": each, "customer": each, "known": True} for each in customers]
        tx.execute(sa.insert(identity), rows)
        template = Template(
            name="t", channel="on_site", variants={"en": Variant(body="Hi", title="Hi")}
        )
        templates.put_template(tx, template, START, actor="t")
        templates.publish_template(tx, "t", START, actor="t")
    shop.store.log.append(events)


@pytest.fixture
def carts(shop: Shop, clock: FixedClock) -> Shop:
    """Of four customers one orders in time, one orders after the message, one fills the cart twice
    in a week, and one has it filled before the simulation begins."""
    hour = timedelta(hours=1)
    events = [
        happen(1, "Product Added", 1, START + DAY),
        happen(2, "Order Completed", 1, START + DAY + hour / 2, 5_000),
        happen(3, "Product Added", 2, START + 2 * DAY),
        happen(4, "Order Completed", 2, START + 3 * DAY, 8_000),
        happen(5, "Product Added", 3, START + 2 * DAY),
        happen(6, "Product Added", 3, START + 6 * DAY),
        happen(7, "Product Added", 4, START - DAY),
    ]
    fill(shop, events, (1, 2, 3, 4))
    clock.moment = START + 10 * DAY
    return shop


def run(shop: Shop, journey: Journey):
    return simulate(shop, journey, days=10, until=START + 10 * DAY)


def test_the_answer_is_the_one_that_was_built_in(carts: Shop) -> None:
    got = run(carts, make())
    assert (got.customers, got.runs, got.held_out, got.on_the_way) == (3, 4, 0, 0)
    assert got.outcomes == {"completed": 2, "goal": 2}
    assert got.messages == {"t": {"accepted": 2}}
    assert got.kept_back == {"capped_week": 1}
    assert got.per_week == {"1": 2}


def test_it_comes_again_the_same_and_writes_nothing_to_the_shop(carts: Shop) -> None:
    with carts.store.read() as tx:
        before = tx.execute(sa.select(log_table)).all()
    first = run(carts, make())
    assert run(carts, make()) == first
    with carts.store.read() as tx:
        assert tx.execute(sa.select(log_table)).all() == before
    assert carts.journeys.list_all().journeys == ()


def test_what_a_change_would_do_is_told_figure_by_figure(carts: Shop) -> None:
    before, after = run(carts, make()), run(carts, make(caps={"week": 2}))
    assert {(d.figure, d.before, d.after) for d in compare(before, after)} == {
        ("messages.t.accepted", 2, 3),
        ("kept_back.capped_week", 1, 0),
        ("per_week.1", 2, 1),
        ("per_week.2", 0, 1),
    }
    assert compare(before, before) == ()


def test_who_is_held_out_gets_nothing(carts: Shop) -> None:
    got = run(carts, make(holdout=0.5))
    held = {each for each in (1, 2, 3) if in_holdout("journey:cart", each, 0.5)}
    entries = {1: 1, 2: 1, 3: 2}
    assert got.held_out == sum(entries[each] for each in held)
    assert got.runs == sum(entries.values()) - got.held_out


def test_rules_see_what_had_happened_then_and_not_what_came_later(carts: Shop) -> None:
    bought = make(entry={"did": "Order Completed"})
    assert run(carts, bought).customers == 0
    not_bought = make(entry={"did_not": "Order Completed"})
    assert run(carts, not_bought).customers == 3


def test_a_shop_without_a_past_says_so(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="no events yet"):
        simulate(shop, make(), days=10)
    with pytest.raises(InvalidInput, match="1 to 366 days"):
        simulate(shop, make(), days=0)


@pytest.mark.slow
def test_every_ready_journey_plays_in_a_twin_and_sends_only_its_own_templates(
    carts: Shop,
) -> None:
    apply_folder(carts, GALLERY, actor="t")
    for name in ORDER:
        journey = read_ready(name)
        got = simulate(carts, journey, days=3, until=START + 4 * DAY)
        templates = {message.template for message in journey.messages.values()}
        assert set(got.messages) <= templates
        if name == "cart-abandonment":
            assert got.customers == 3
            assert got.runs + got.held_out >= 3
