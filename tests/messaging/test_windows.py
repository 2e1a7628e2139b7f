"""Quiet hours, days and weeks by the customer's own clock, through both jumps of summer time."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lingxi.errors import InvalidSetting
from lingxi.messaging.windows import QuietTimes, day_start, first_at, week_start

LONDON = ZoneInfo("Europe/London")
NIGHT = QuietTimes.read("21:00-08:00", ["2026-12-25", "01-01"])
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ["Europe/London", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "end"),
    [
        ("2026-03-02 12:00", "Europe/London", "2026-03-02 12:00"),
        ("2026-03-02 21:00", "Europe/London", "2026-03-03 08:00"),
        ("2026-03-02 07:59", "Europe/London", "2026-03-02 08:00"),
        ("2026-03-02 12:00", "Asia/Shanghai", "2026-03-02 12:00"),
        ("2026-03-02 13:00", "Asia/Shanghai", "2026-03-03 00:00"),
        ("2026-03-28 23:00", "Europe/London", "2026-03-29 07:00"),  # the clock goes forward
        ("2026-10-24 23:00", "Europe/London", "2026-10-25 08:00"),  # and back
        ("2026-12-25 10:00", "Europe/London", "2026-12-26 08:00"),
        ("2026-12-24 22:00", "Europe/London", "2026-12-26 08:00"),
        ("2026-12-31 20:30", "Europe/London", "2026-12-31 20:30"),
        ("2026-12-31 21:30", "Europe/London", "2027-01-02 08:00"),
    ],
)
def test_quiet_ends_when_the_customers_clock_says_so(now: str, zone: str, end: str) -> None:
    assert NIGHT.find_end(at(now), ZoneInfo(zone)) == at(end)


def test_an_end_that_summer_time_skips_is_the_jump_itself() -> None:
    quiet = QuietTimes.read("22:00-01:30", [])
    assert quiet.find_end(at("2026-03-29 00:10"), LONDON) == at("2026-03-29 01:00")


def test_an_end_that_comes_twice_is_the_first() -> None:
    quiet = QuietTimes.read("22:00-01:30", [])
    assert quiet.find_end(at("2026-10-25 00:10"), LONDON) == at("2026-10-25 00:30")
    assert quiet.find_end(at("2026-10-25 01:10"), LONDON) == at("2026-10-25 01:30")


@example(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "Europe/London", time(22), time(1, 30))
@example(datetime(2026, 3, 29, 0, 10, tzinfo=UTC), "Europe/London", time(22), time(1, 30))
@given(
    st.integers(0, 60 * 24 * 700).map(lambda n: FIRST + timedelta(minutes=n)),
    st.sampled_from(ZONES),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
)
def test_the_end_is_the_first_minute_that_is_not_quiet(
    now: datetime, zone: str, begin: time, end: time
) -> None:
    if begin == end:
        return
    quiet = QuietTimes(begin, end)
    found = quiet.find_end(now, ZoneInfo(zone))
    minute = now
    while quiet.is_quiet(minute.astimezone(ZoneInfo(zone))):
        minute += timedelta(minutes=1)
    assert found == minute


def test_days_and_weeks_begin_at_the_customers_midnight() -> None:
    now = at("2026-03-29 12:00")
    assert day_start(now, LONDON) == at("2026-03-29 00:00")
    assert week_start(now, LONDON) == at("2026-03-23 00:00")
    shanghai = ZoneInfo("Asia/Shanghai")
    assert day_start(at("2026-03-29 17:00"), shanghai) == at("2026-03-29 16:00")
    assert first_at(date(2026, 10, 25), time(1, 30), LONDON) == at("2026-10-25 00:30")


@pytest.mark.parametrize("hours", ["21-08", "25:00-08:00", "08:00-08:00", "night"])
def test_hours_that_are_none_are_refused(hours: str) -> None:
    with pytest.raises(InvalidSetting, match="quiet_hours"):
        QuietTimes.read(hours, [])


def test_a_holiday_that_is_no_day_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="13-01"):
        QuietTimes.read("", ["13-01"])
