"""Moments that a journey waits for, in somebody's own time zone; every answer is in UTC.

A local time that the clocks skip stands for the moment as late after the jump; one that comes twice
for its first. So a daily time comes once a day, also on the two days of the year when the clocks
change.
"""

import calendar
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lingxi.journeys.durations import WEEKDAYS

_DAY = timedelta(days=1)
_LONGEST_SEARCH = 366
DEFAULT_HOUR = 10
"""The hour of day where nothing is known of a customer's own."""
LEAST_SIGNS = 5
"""Visits and openings before a customer's own hours say anything."""


def at_local(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks of ``zone`` show this time on this day.

    >>> at_local(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T01:30:00+00:00'
    """
    return datetime.combine(day, hour, zone).astimezone(UTC)


def next_local(
    after: datetime,
    hour: time,
    zone: ZoneInfo,
    *,
    weekdays: Collection[str] = (),
    days: Collection[int] = (),
) -> datetime:
    """The first moment past ``after`` at which the clocks of ``zone`` show this time.

    Parameters
    ----------
    weekdays
        Only on these (``mon`` ... ``sun``), if any.
    days
        Only on these days of the month, if any; one past the month's end is its last day.

    Examples
    --------
    >>> next_local(datetime(2026, 1, 1, 12, tzinfo=UTC), time(9), ZoneInfo("UTC")).isoformat()
    '2026-01-02T09:00:00+00:00'
    """
    day = after.astimezone(zone).date() - _DAY
    for _ in range(_LONGEST_SEARCH):
        if is_named(day, weekdays, days):
            moment = at_local(day, hour, zone)
            if moment > after:
                return moment
        day += _DAY
    raise AssertionError("every weekday and day of a month comes within a year")


def last_local(
    until: datetime,
    hour: time,
    zone: ZoneInfo,
    *,
    weekdays: Collection[str] = (),
    days: Collection[int] = (),
) -> datetime:
    """The last moment, ``until`` included, at which the clocks of ``zone`` showed this time.

    >>> last_local(datetime(2026, 1, 1, 8, tzinfo=UTC), time(9), ZoneInfo("UTC")).isoformat()
    '2025-12-31T09:00:00+00:00'
    """
    day = until.astimezone(zone).date() + _DAY
    for _ in range(_LONGEST_SEARCH):
        if is_named(day, weekdays, days):
            moment = at_local(day, hour, zone)
            if moment <= until:
                return moment
        day -= _DAY
    raise AssertionError("every weekday and day of a month comes within a year")


def is_named(day: date, weekdays: Collection[str], days: Collection[int]) -> bool:
    """Whether a day is one of these weekdays, or of these days of the month; of none: any is."""
    if weekdays and WEEKDAYS[day.weekday()] not in weekdays:
        return False
    if days:
        last = calendar.monthrange(day.year, day.month)[1]
        return day.day in {min(each, last) for each in days}
    return True


def start_of_day(now: datetime, zone: ZoneInfo) -> datetime:
    """When the day of ``zone`` began in which ``now`` lies."""
    return at_local(now.astimezone(zone).date(), time(0), zone)


def start_of_week(now: datetime, zone: ZoneInfo) -> datetime:
    """When the week of ``zone`` began, on Monday."""
    day = now.astimezone(zone).date()
    return at_local(day - timedelta(days=day.weekday()), time(0), zone)


def best_moment(
    signs: Sequence[datetime], now: datetime, within: timedelta, zone: ZoneInfo
) -> datetime:
    """When the customer is likeliest to look, between ``now`` and ``now + within``.

    Visits and openings are counted by the hour of the customer's day; each counts half for the
    hours beside it, so that single ones do not decide between neighbours. The full hour with the
    highest count wins, the earliest of equals. With fewer than ``LEAST_SIGNS`` it is 10 o'clock.
    Where no full hour lies in the window it is ``now``.
    """
    counts = [0.0] * 24
    for sign in signs:
        hour = sign.astimezone(zone).hour
        counts[hour] += 1.0
        counts[(hour + 1) % 24] += 0.5
        counts[(hour - 1) % 24] += 0.5
    if len(signs) < LEAST_SIGNS:
        counts = [float(hour == DEFAULT_HOUR) for hour in range(24)]
    hours = list(_full_hours(now, now + within))
    if not hours:
        return now
    return max(hours, key=lambda moment: (counts[moment.astimezone(zone).hour], -_age(now, moment)))


def _full_hours(start: datetime, end: datetime) -> "list[datetime]":
    first = start.replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += timedelta(hours=1)
    count = int((end - first) / timedelta(hours=1)) + 1 if end >= first else 0
    return [first + timedelta(hours=n) for n in range(min(count, 24 * 31))]


def _age(now: datetime, moment: datetime) -> float:
    return (moment - now).total_seconds()
