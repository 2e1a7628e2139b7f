"""Local times on the days when clocks change, in either direction; hours of customers."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey_road import Road
from lingxi.journeys.moments import at_local, best_moment, last_local, next_local
from lingxi.journeys.run import RunState
from lingxi.profiles import put_traits

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "UTC"]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_time_that_the_clocks_skip_is_as_late_after_the_jump() -> None:
    assert at_local(date(2026, 3, 29), time(2, 30), BERLIN) == _at("2026-03-29T01:30")


def test_a_time_that_comes_twice_stands_for_its_first_and_comes_once_a_day() -> None:
    first = _at("2026-10-25T00:30")
    assert at_local(date(2026, 10, 25), time(2, 30), BERLIN) == first
    assert next_local(first, time(2, 30), BERLIN) == _at("2026-10-26T01:30")


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda n: _at("2025-01-01") + timedelta(minutes=n)),
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
    st.sampled_from(ZONES),
)
def test_next_and_last_are_neighbours_a_day_apart(now: datetime, hour: time, name: str) -> None:
    zone = ZoneInfo(name)
    coming, gone = next_local(now, hour, zone), last_local(now, hour, zone)
    assert gone <= now < coming
    assert coming - gone <= timedelta(hours=25)
    assert next_local(gone, hour, zone) == coming


def test_weekdays_and_days_past_the_months_end() -> None:
    now = _at("2026-02-10T12:00")  # a Tuesday
    assert next_local(now, time(9), ZoneInfo("UTC"), weekdays=("mon",)) == _at("2026-02-16T09:00")
    assert next_local(now, time(9), ZoneInfo("UTC"), days=(31,)) == _at("2026-02-28T09:00")


@pytest.mark.parametrize(
    ("hours", "expected"),
    [([20, 20, 20, 21, 9], "2026-03-02T20:00"), ([20, 20], "2026-03-03T10:00")],
)
def test_the_best_hour_is_the_customers_own_or_ten(hours: list[int], expected: str) -> None:
    signs = [datetime(2026, 2, 1 + n, hour, 15, tzinfo=UTC) for n, hour in enumerate(hours)]
    now = _at("2026-03-02T12:10")
    assert best_moment(signs, now, timedelta(days=1), ZoneInfo("UTC")) == _at(expected)


def test_without_a_full_hour_in_the_window_it_is_now() -> None:
    now = _at("2026-03-02T12:10")
    assert best_moment([], now, timedelta(minutes=30), ZoneInfo("UTC")) == now


STEPS = {
    "w": {"kind": "wait", "time": "09:00", "next": "mail"},
    "mail": {"kind": "message", "template": "a", "next": "end"},
    "end": {"kind": "end"},
}
GO = {"kind": "event", "events": ["Go"]}


def test_a_wait_until_nine_is_by_the_customers_clock_when_it_is_over(road: Road) -> None:
    road.know(1)
    put_traits(road.store, 1, {"timezone": "Asia/Tokyo"})
    road.publish(trigger=GO, steps=STEPS)
    road.happen("Go")
    road.go()  # 12:00 UTC; the next nine of Tokyo is midnight UTC
    road.clock.advance(timedelta(hours=1))
    put_traits(road.store, 1, {"timezone": "Europe/Berlin"})  # and of Berlin eight hours later
    road.go(timedelta(hours=11))
    assert road.sent() == []
    assert road.run.state is RunState.WAITING
    road.go(timedelta(hours=8) - timedelta(seconds=1))
    assert road.sent() == []
    road.go(timedelta(seconds=1))
    assert len(road.sent()) == 1


def test_a_clock_that_was_put_back_sends_nothing_twice(road: Road) -> None:
    road.publish(trigger=GO, steps=STEPS)
    road.happen("Go")
    road.go()
    road.go(timedelta(days=1))
    assert len(road.sent()) == 1
    road.clock.advance(timedelta(days=-3))
    road.go()
    road.go(timedelta(days=6))
    assert len(road.sent()) == 1
