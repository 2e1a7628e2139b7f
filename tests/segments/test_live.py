"""Memberships follow the log and the clock, and each change is told once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.lifecycle.tables import customer_state
from lingxi.profiles import put_traits
from lingxi.schema import Event
from lingxi.segments import Segment, put_segment, read_rule
from lingxi.segments.definitions import delete_segment
from lingxi.segments.lists import add_to_list, put_list
from lingxi.segments.live import Keeper
from lingxi.segments.members import move_members, wake, write_timers
from lingxi.segments.tables import segment, segment_day, segment_member, segment_timer
from lingxi.store.keyed import upsert
from lingxi.store.tables import to_micros
from segments.happenings import NOW, happen, make_customers

VIEWER = {"did": "Product Viewed", "at_least": 2, "within_days": 7}


def put(shop: Shop, **rules: object) -> None:
    with shop.store.write() as tx:
        for name, rule in rules.items():
            put_segment(tx, Segment(name, name, read_rule(rule)), shop.clock.now())


def members(shop: Shop, name: str) -> set[int]:
    with shop.store.read() as tx:
        query = sa.select(segment_member.c.customer).where(segment_member.c.segment == name)
        found = set(tx.execute(query).scalars())
        count = tx.execute(sa.select(segment.c.members).where(segment.c.name == name)).scalar()
    assert count == len(found)
    return found


def told(shop: Shop) -> list[tuple[str, str, int | None]]:
    names = {"Segment Entered", "Segment Left"}
    events = shop.store.log.read(names=names)
    return [(e.name.split()[1], str(e.properties["segment"]), e.subject) for e in events]


@pytest.fixture
def keeper(shop: Shop) -> Keeper:
    return Keeper(shop.judge)


def work(shop: Shop, keeper: Keeper, *events: Event) -> None:
    shop.store.log.append(list(events))
    keeper.run_all(shop.clock.now())


def test_changes_are_counted_by_the_day_of_the_shop(shop: Shop) -> None:
    put(shop, viewers=VIEWER)
    late = datetime(2026, 3, 1, 17, tzinfo=UTC)
    with shop.store.write() as tx:
        move_members(tx, [(("viewers", 1), True)], late, ZoneInfo("Asia/Shanghai"))
        move_members(tx, [(("viewers", 2), True)], late, ZoneInfo("America/New_York"))
        rows = tx.execute(sa.select(segment_day.c.day, segment_day.c.entered)).all()
    assert sorted(rows) == [("2026-03-01", 1), ("2026-03-02", 1)]


def test_who_is_there_at_the_start_did_not_enter(shop: Shop, keeper: Keeper) -> None:
    a, b = make_customers(shop, "a", "b")
    shop.store.log.append([happen("Product Viewed", a), happen("Product Viewed", a)])
    put(shop, viewers=VIEWER)
    work(shop, keeper)
    assert members(shop, "viewers") == {a}
    assert told(shop) == []
    work(shop, keeper, happen("Product Viewed", b), happen("Product Viewed", b))
    assert members(shop, "viewers") == {a, b}
    assert told(shop) == [("Entered", "viewers", b)]
    keeper.run_all(NOW)
    assert len(told(shop)) == 1


def test_time_alone_moves_members_at_its_exact_moment(shop: Shop, keeper: Keeper) -> None:
    (a,) = make_customers(shop, "a")
    put(shop, viewers=VIEWER, quiet={"did_not": "Product Viewed", "within_days": 3})
    work(shop, keeper, *(happen("Product Viewed", a, days_ago=d) for d in (1, 2, 3)))
    clock = shop.clock
    assert isinstance(clock, FixedClock)
    assert members(shop, "viewers") == {a}
    assert members(shop, "quiet") == set()
    clock.advance(timedelta(days=2) - timedelta(microseconds=1))
    work(shop, keeper)
    assert members(shop, "quiet") == set()
    clock.advance(timedelta(microseconds=1))
    work(shop, keeper)
    assert members(shop, "quiet") == {a}
    clock.advance(timedelta(days=3))  # the second last view is seven days old
    work(shop, keeper)
    assert members(shop, "viewers") == set()
    assert told(shop)[-1] == ("Left", "viewers", a)
    with shop.store.read() as tx:
        assert tx.execute(sa.select(segment_timer.c.segment)).all() == []


def test_new_customers_are_asked_for_every_segment_once(shop: Shop, keeper: Keeper) -> None:
    put(shop, all={"everyone": True}, never={"did_not": "Order Completed"})
    work(shop, keeper)
    (a,) = make_customers(shop, "a")
    work(shop, keeper, happen("Quiz", a))
    assert members(shop, "all") == members(shop, "never") == {a}
    work(shop, keeper, happen("Order Completed", a, amount_cents=5))
    assert members(shop, "never") == set()


def test_a_changed_rule_moves_members_and_says_why(shop: Shop, keeper: Keeper) -> None:
    a, b = make_customers(shop, "a", "b")
    shop.store.log.append([happen("Quiz", a), happen("Product Viewed", b)])
    put(shop, one={"did": "Quiz"}, two={"segment": "one"})
    work(shop, keeper)
    put(shop, one={"did": "Product Viewed"})
    work(shop, keeper)
    assert members(shop, "one") == members(shop, "two") == {b}
    changed = [e for e in shop.store.log.read() if e.name.startswith("Segment")]
    assert {e.properties["cause"] for e in changed if e.properties["segment"] == "one"} == {"rule"}


def test_scores_lists_and_traits_move_members(shop: Shop, keeper: Keeper) -> None:
    (a,) = make_customers(shop, "a")
    with shop.store.write() as tx:
        put_list(tx, "hand", "By hand", NOW)
    put(
        shop,
        risky={"score": "churn_probability", "more_than": 0.5},
        listed={"list": "hand"},
        gold={"trait": "plan", "equals": "gold"},
    )
    work(shop, keeper, happen("Quiz", a))
    assert members(shop, "risky") == set()
    row = dict.fromkeys(column.name for column in customer_state.columns)
    row |= {"customer": a, "stage": "new", "since": NOW, "reason": "{}", "horizon_days": 9}
    row |= {"as_of": NOW, "churn_probability": 0.9}
    with shop.store.write() as tx:
        upsert(tx, customer_state, [row])
        add_to_list(tx, "hand", a, NOW, log=shop.store.log)
    work(shop, keeper)
    assert members(shop, "risky") == members(shop, "listed") == {a}
    put_traits(shop.store, a, {"plan": "gold"})
    with shop.store.write() as tx:
        wake(tx, a, NOW)
    work(shop, keeper)
    assert members(shop, "gold") == {a}


def test_two_keepers_and_a_crash_tell_each_change_once(shop: Shop) -> None:
    a, b = make_customers(shop, "a", "b")
    put(shop, viewers=VIEWER)
    first, second = Keeper(shop.judge), Keeper(shop.judge)
    first.run_all(NOW)
    shop.store.log.append([happen("Product Viewed", who) for who in (a, a, b, b)])
    first.run_once(NOW)
    with shop.store.write() as tx:
        shop.store.log.move_cursor(tx, "segments", 0)  # as if it had died before the cursor moved
    second.run_all(NOW)
    first.run_all(NOW)
    assert sorted(told(shop)) == [("Entered", "viewers", a), ("Entered", "viewers", b)]


def test_what_an_event_only_confirms_ends_with_the_last_of_them(shop: Shop, keeper: Keeper) -> None:
    """A member is not asked again when an event can only keep them in; the timer still is right."""
    (a,) = make_customers(shop, "a")
    put(shop, viewers=VIEWER)
    work(shop, keeper)
    work(shop, keeper, happen("Product Viewed", a), happen("Product Viewed", a))
    assert isinstance(shop.clock, FixedClock)
    shop.clock.advance(timedelta(days=3))
    later = [happen("Product Viewed", a, days_ago=-3) for _ in range(2)]
    work(shop, keeper, *later)
    shop.clock.advance(timedelta(days=5))
    work(shop, keeper)
    assert members(shop, "viewers") == {a}
    shop.clock.advance(timedelta(days=2, seconds=1))
    work(shop, keeper)
    assert members(shop, "viewers") == set()
    assert told(shop) == [("Entered", "viewers", a), ("Left", "viewers", a)]


def test_a_segment_made_anew_under_its_name_is_not_the_old_one(shop: Shop, keeper: Keeper) -> None:
    """Removed and made again between two looks it is version 1 as before, with another rule."""
    a, b = make_customers(shop, "a", "b")
    put(shop, viewers={"did": "Product Viewed"})
    work(shop, keeper, happen("Product Viewed", a))
    assert members(shop, "viewers") == {a}
    with shop.store.write() as tx:
        delete_segment(tx, "viewers")
    put(shop, viewers={"did": "Quiz"})
    work(shop, keeper, happen("Quiz", b))
    assert members(shop, "viewers") == {b}
    work(shop, keeper, happen("Quiz", a), happen("Product Viewed", b))
    assert members(shop, "viewers") == {a, b}


def test_a_first_event_makes_counts_known(shop: Shop, keeper: Keeper) -> None:
    """Of somebody who never did anything the number of orders is unknown; after a visit it is 0."""
    (a,) = make_customers(shop, "a")
    put(shop, counted={"score": "orders", "known": True}, none={"score": "orders", "at_most": 0})
    work(shop, keeper)
    assert members(shop, "counted") == members(shop, "none") == set()
    work(shop, keeper, happen("Quiz", a))
    assert members(shop, "counted") == members(shop, "none") == {a}


def test_of_two_timers_the_earlier_stays(shop: Shop) -> None:
    at = to_micros(NOW)
    for due, kept in ((at, at), (at + 1, at), (at - 1, at - 1)):
        with shop.store.write() as tx:
            write_timers(tx, [(1, "s", due), (2, f"t{due}", due)])
            rows = tx.execute(sa.select(segment_timer).where(segment_timer.c.customer == 1)).all()
        assert [to_micros(row.due_at) for row in rows] == [kept]
    with shop.store.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(segment_timer)).scalar() == 4
