"""What begins a run: each kind of trigger, once, for those it is for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from journey_road import NOW, Road
from lingxi.coupons.tables import coupon
from lingxi.errors import InvalidInput
from lingxi.journeys.entering import trigger_journey
from lingxi.lifecycle.tables import customer_state
from lingxi.profiles import put_traits
from lingxi.profiles.tables import customer_profile, item_history
from lingxi.schema import Line

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAIL = {"mail": {"kind": "message", "template": "a", "next": "end"}, "end": {"kind": "end"}}
ALWAYS = {"mode": "always"}


def _publish(road: Road, /, **trigger: Any) -> None:
    road.publish(trigger=trigger, steps=MAIL, reentry=ALWAYS)


def _who(road: Road) -> list[int]:
    return [run.customer for run in road.runs()]


def test_a_segment_entered_or_left(road: Road) -> None:
    _publish(road, kind="segment", segment="vip", change="left")
    road.happen("Segment Entered", 1, properties={"segment": "vip"})
    road.happen("Segment Left", 2, properties={"segment": "vip"})
    road.happen("Segment Left", 3, properties={"segment": "other"})
    road.go()
    assert _who(road) == [2]


def test_what_was_there_before_a_journey_was_published_begins_nothing(road: Road) -> None:
    """The first journey of a shop began for all carts of the last two days."""
    road.happen("Go", 1)
    _item(road, "Item Price Changed", "A", 1000, 500)
    _meet(road, [(2, "A", 1, 1)])
    road.clock.advance(HOUR)
    go = {"kind": "event", "events": ["Go"]}
    road.publish(name="go", trigger=go, steps=MAIL, reentry=ALWAYS)
    road.publish(name="cheap", trigger={"kind": "price_drop"}, steps=MAIL)
    road.go()
    assert _who(road) == []
    road.happen("Go", 3)
    road.clock.advance(HOUR)
    road.publish(name="go", trigger=go, steps=MAIL, reentry=ALWAYS, priority=9)
    road.go()
    assert _who(road) == [3]  # a new version is the same journey


def test_a_stage_that_changed_is_news_when_it_is_told(road: Road) -> None:
    _publish(road, kind="stage", to=["lapsed"], before=["at_risk"])
    for customer, old, new in ((1, "at_risk", "lapsed"), (2, "active", "lapsed")):
        road.happen(
            "Stage Changed",
            customer,
            occurred_at=NOW - 9 * DAY,
            properties={"from": old, "to": new},
        )
    road.go()
    assert _who(road) == [1]


def _score(road: Road, risks: dict[int, float]) -> None:
    road.know(*risks)
    with road.store.write() as tx:
        tx.execute(sa.delete(customer_state))
        for customer, risk in risks.items():
            row = {"customer": customer, "stage": "active", "since": NOW, "reason": "{}"}
            row |= {"churn_probability": risk, "horizon_days": 90, "as_of": NOW}
            tx.execute(sa.insert(customer_state), row)


def test_a_risk_that_rose_over_its_level(road: Road) -> None:
    _score(road, {1: 0.9, 2: 0.1, 3: 0.1})
    _publish(road, kind="churn_alert", least_risk=0.6)
    road.go()
    assert _who(road) == []  # who is beyond the level at the first look has crossed nothing
    _score(road, {1: 0.95, 2: 0.7, 3: 0.1})
    road.go(HOUR)
    assert _who(road) == [2]
    _score(road, {1: 0.2, 2: 0.7, 3: 0.1})
    road.go(HOUR)
    _score(road, {1: 0.9, 2: 0.7, 3: 0.1})
    road.go(HOUR)
    assert _who(road) == [2, 1]


def test_a_birthday_at_the_customers_own_nine_o_clock(road: Road) -> None:
    road.know(1, 2, 3)
    put_traits(road.store, 1, {"birthday": "1990-03-04", "timezone": "Asia/Tokyo"})
    put_traits(road.store, 2, {"birthday": "1990-03-04"})
    put_traits(road.store, 3, {"birthday": "1990-03-05"})
    _publish(road, kind="date", of="birthday", offset="0d", at="09:00")
    sent: list[tuple[int, datetime]] = []
    for _ in range(48):
        before = len(road.sent())
        road.go(HOUR)
        sent += [(m["customer"], road.clock.now()) for m in road.sent()[before:]]
    assert sent == [
        (1, datetime(2026, 3, 4, 0, tzinfo=UTC)),
        (2, datetime(2026, 3, 4, 9, tzinfo=UTC)),
    ]


def test_a_code_about_to_expire_is_a_run_of_its_own(road: Road) -> None:
    road.know(1)
    with road.store.write() as tx:
        for number, days in ((5, 3), (6, 3), (7, 9)):
            row = {"coupon": number, "offer": "ten", "version": 1, "state": "issued"}
            row |= {"customer": 1, "expires_at": NOW + timedelta(days=days)}
            tx.execute(sa.insert(coupon), row)
    _publish(road, kind="date", of="coupon_expiry", offset="-2d", at="00:00")
    road.go(DAY)
    assert sorted(run.key for run in road.runs()) == ["5", "6"]
    assert sorted(m["context"][-11:] for m in road.sent()) == ['"coupon":5}', '"coupon":6}']


def test_the_next_order_is_expected_after_the_customers_own_gap(road: Road) -> None:
    road.know(1, 2)
    for customer, ago in ((1, (30, 20, 10)), (2, (10,))):
        for n, days in enumerate(ago):
            moment = NOW - timedelta(days=days)
            line = (Line(item_id="A", quantity=1, price_cents=100, amount_cents=100),)
            road.happen(
                "Order Completed",
                customer,
                occurred_at=moment,
                order_id=f"{customer}-{n}",
                lines=line,
                amount_cents=100,
            )
    with road.store.read() as tx:
        orders = dict(
            tx.execute(sa.select(customer_profile.c.customer, customer_profile.c.orders)).all()
        )
    assert orders == {1: 3, 2: 1}
    _publish(road, kind="date", of="expected_next_order", at="12:00")
    road.go()
    assert _who(road) == [1]


def _meet(road: Road, rows: list[tuple[int, str, int, int]]) -> None:
    with road.store.write() as tx:
        for customer, item_id, views, days in rows:
            row = {"customer": customer, "item_id": item_id, "views": views, "carts": 0}
            row |= {"orders": 1 - min(views, 1), "quantity": 0, "returned": 0}
            row |= {"last_at": NOW - timedelta(days=days), "last_order_at": None}
            tx.execute(sa.insert(item_history), row)


def _item(road: Road, name: str, item_id: str, old: int, new: int) -> None:
    road.store.log.append(
        [
            road.make(
                name,
                None,
                event_id=f"item:{item_id}:{len(road.store.log.read()):012d}:x",
                properties={"old": old, "new": new},
                lines=(Line(item_id=item_id),),
            )
        ]
    )


def test_a_price_that_fell_far_enough_for_those_who_met_the_item(road: Road) -> None:
    _meet(road, [(1, "A", 1, 1), (1, "B", 1, 2), (2, "A", 1, 40), (3, "A", 0, 1), (4, "C", 1, 1)])
    _publish(road, kind="price_drop", least_share=0.1, within="30d")
    _item(road, "Item Price Changed", "A", 1000, 900)
    _item(road, "Item Price Changed", "B", 1000, 500)
    _item(road, "Item Price Changed", "C", 1000, 950)
    road.go()
    assert _who(road) == [1]
    assert road.run.context["items"] == ["A", "B"]


def test_an_item_that_can_be_had_again(road: Road) -> None:
    _meet(road, [(1, "A", 1, 1), (2, "B", 1, 1)])
    _publish(road, kind="back_in_stock")
    _item(road, "Item Stock Changed", "A", 0, 4)
    _item(road, "Item Stock Changed", "B", 3, 4)
    road.go()
    assert _who(road) == [1]


def test_a_campaign_reaches_its_audience_once(road: Road) -> None:
    audience = road.enlist("news", *range(1, 251))
    road.know(999)
    road.publish(campaign="sale", template="sale", audience=audience, at="2026-03-03T09:00:00Z")
    road.go()
    assert road.sent() == []
    road.go(21 * HOUR)
    assert sorted(m["customer"] for m in road.sent()) == list(range(1, 251))
    road.go(DAY)
    assert len(road.sent()) == 250


def test_a_schedule_that_nobody_held_for_a_day_is_left_out(road: Road) -> None:
    audience = road.enlist("news", 1)
    _publish(road, kind="schedule", audience=audience, time="09:00", weekdays=["tue"])
    road.go(4 * DAY)  # Friday
    assert road.runs() == []
    road.go(4 * DAY)  # Tuesday
    assert len(road.runs()) == 1
    road.go(HOUR)
    assert len(road.runs()) == 1


def test_an_interrupted_occasion_goes_on_where_it_stopped(road: Road) -> None:
    audience = road.enlist("news", *range(1, 301))
    _publish(road, kind="schedule", audience=audience, at="2026-03-02T12:00:00Z")
    road.timetable._seconds = 0  # one part of the audience, then it is time for others
    road.timetable.run_once(road.clock.now())
    assert len(road.runs()) == 100
    road.timetable._guests.clear()  # another process
    road.go()
    assert _who(road) == list(range(1, 301))


def test_the_shops_own_systems_begin_only_what_is_theirs_to_begin(road: Road) -> None:
    _publish(road, kind="api")
    road.publish(name="other", trigger={"kind": "event", "events": ["x"]}, steps=MAIL)
    now = road.clock.now()
    assert trigger_journey(road.store, road.hands, "j", 1, now, key="a")
    assert not trigger_journey(road.store, road.hands, "j", 1, now, key="a")
    assert trigger_journey(road.store, road.hands, "j", 1, now, key="b")
    with pytest.raises(InvalidInput, match="begins by itself"):
        trigger_journey(road.store, road.hands, "other", 1, now)
    with pytest.raises(InvalidInput, match="not published"):
        trigger_journey(road.store, road.hands, "none", 1, now)


def test_reentry_once_after_and_restart(road: Road) -> None:
    wait = {"w": {"kind": "wait", "duration": "1h", "next": "end"}, "end": {"kind": "end"}}
    go = {"kind": "event", "events": ["Go"]}
    road.publish(name="once", trigger=go, steps=wait)
    road.publish(name="after", trigger=go, steps=wait, reentry={"mode": "after", "after": "2d"})
    again = {"mode": "always", "meanwhile": "restart"}
    road.publish(name="again", trigger=go, steps=wait, reentry=again)
    for step in (timedelta(0), timedelta(minutes=30), DAY, DAY):
        road.clock.advance(step)
        road.happen("Go")
        road.go()
    names = [run.journey for run in road.runs()]
    assert (names.count("once"), names.count("after"), names.count("again")) == (1, 2, 4)
    first = next(run for run in road.runs() if run.journey == "again")
    assert first.outcome == "restarted"
