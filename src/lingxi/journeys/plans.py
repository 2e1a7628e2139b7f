"""The moments that a trigger names beforehand, between two days. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from lingxi.journeys.durations import read_time
from lingxi.journeys.moments import at_local, is_named
from lingxi.journeys.trigger import DateTrigger, ScheduleTrigger, Trigger

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Plan:
    """A moment of a trigger; ``slot`` is the occasion's name, ``day`` the day it is of.

    Where ``local``, ``at`` is when the clocks of ``zone`` show the time; each customer's own do so
    up to 14 hours earlier or 12 later.
    """

    slot: str
    day: date
    at: datetime
    local: bool


def list_plans(trigger: Trigger, zone: ZoneInfo, first: date, last: date) -> Iterator[Plan]:
    """The moments of a schedule, or of dates, from ``first`` to ``last``; in order, in UTC.

    Other triggers name none.

    >>> daily = ScheduleTrigger(time="02:30")
    >>> days = date(2026, 3, 28), date(2026, 3, 30)
    >>> [f"{plan.at:%d %H:%M}" for plan in list_plans(daily, ZoneInfo("Europe/Berlin"), *days)]
    ['28 01:30', '29 01:30', '30 00:30']
    """
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    match trigger:
        case ScheduleTrigger(at=datetime() as moment):
            at = moment.astimezone(UTC)
            day = at.astimezone(zone).date()
            if first <= day <= last:
                yield Plan(at.isoformat(), day, at, False)
        case ScheduleTrigger():
            hour = read_time(trigger.time)
            for day in days:
                if is_named(day, trigger.weekdays, trigger.days):
                    at = at_local(day, hour, zone)
                    yield Plan(day.isoformat(), day, at, trigger.local)
        case DateTrigger():
            hour = read_time(trigger.at)
            for day in days:
                yield Plan(day.isoformat(), day, at_local(day, hour, zone), True)
        case _:
            return
