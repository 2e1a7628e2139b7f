"""The occasions that time alone brings: schedules, dates of customers, scores past a level."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.journeys.dates import list_dated
from lingxi.journeys.definition_tables import journey_version as versions
from lingxi.journeys.durations import read_time
from lingxi.journeys.hands import Hands
from lingxi.journeys.levels import level_occasion
from lingxi.journeys.moments import at_local, last_local, next_local
from lingxi.journeys.occasions import Guest, Occasion, hold, is_over
from lingxi.journeys.trigger import ChurnTrigger, DateTrigger, ScheduleTrigger, ScoreTrigger
from lingxi.journeys.versions import Live, list_live
from lingxi.store import Store

FIRST_ZONE = ZoneInfo("Pacific/Kiritimati")
"""Where a day begins first: 14 hours before UTC."""
LATE = timedelta(days=1)
"""An occasion that was missed for longer (nobody worked) is not held any more."""


def list_occasions(
    store: Store, hands: Hands, live: Sequence[tuple[Live, datetime]], now: datetime
) -> Iterator[Occasion]:
    """The occasions that are due now, over or not; each ``live`` with when it was published."""
    for each, published_at in live:
        match each.journey.trigger:
            case ScheduleTrigger() as trigger:
                yield from _of_schedule(store, hands, each, trigger, published_at, now)
            case DateTrigger() as trigger:
                yield from _of_dates(store, each, trigger, published_at, now)
            case ChurnTrigger() | ScoreTrigger():
                yield level_occasion(store, hands, each, now)


def _of_schedule(
    store: Store,
    hands: Hands,
    live: Live,
    trigger: ScheduleTrigger,
    published_at: datetime,
    now: datetime,
) -> Iterator[Occasion]:
    if trigger.at is not None:
        at = trigger.at.astimezone(UTC)
        if at <= now <= max(at, published_at) + LATE:
            guests = partial(_list_audience, hands, trigger, now, None, None)
            yield Occasion(live, at.isoformat(), at, guests)
        return
    hour = read_time(trigger.time)
    zone = FIRST_ZONE if trigger.local else store.settings.zone
    at = last_local(now, hour, zone, weekdays=trigger.weekdays, days=trigger.days)
    if at < published_at or now - at > LATE:
        return
    day = at.astimezone(zone).date()
    own = (day, hour) if trigger.local else (None, None)
    yield Occasion(live, day.isoformat(), at, partial(_list_audience, hands, trigger, now, *own))


class Timetable:
    """Holds the occasions of a shop's journeys as they come due."""

    def __init__(self, store: Store, hands: Hands, *, seconds: float = 1.0) -> None:
        self._store, self._hands, self._seconds = store, hands, seconds
        self._guests: dict[tuple[str, int, str], Sequence[Guest]] = {}

    def run_once(self, now: datetime) -> int:
        """Let guests of due occasions in, for about a second; how many."""
        end = monotonic() + self._seconds
        with self._store.read() as tx:
            timed = [each for each in list_live(tx) if _is_timed(each)]
            live = list_published(tx, timed)
            due = [
                each
                for each in list_occasions(self._store, self._hands, live, now)
                if not is_over(tx, each.live.name, each.slot)
            ]
        done = 0
        for occasion in due:
            guests = self._guests.get(occasion.key)
            if guests is None:
                guests = self._guests[occasion.key] = occasion.guests()
            done += hold(
                self._store,
                self._hands,
                occasion,
                guests,
                now,
                may_go_on=lambda: monotonic() < end,
            )
        keys = {occasion.key for occasion in due}
        self._guests = {key: held for key, held in self._guests.items() if key in keys}
        return done


def _is_timed(live: Live) -> bool:
    timed = ScheduleTrigger | DateTrigger | ChurnTrigger | ScoreTrigger
    return isinstance(live.journey.trigger, timed)


def next_occasion(trigger: ScheduleTrigger, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When a schedule is next due in the shop's time zone; never again: nothing."""
    if trigger.at is not None:
        return trigger.at.astimezone(UTC) if trigger.at > now else None
    hour = read_time(trigger.time)
    return next_local(now, hour, zone, weekdays=trigger.weekdays, days=trigger.days)


def _list_audience(
    hands: Hands, trigger: ScheduleTrigger, now: datetime, day: date | None, hour: time | None
) -> list[Guest]:
    rule: Any = None if trigger.audience is None else hands.read_rule(trigger.audience)
    return [Guest(customer=customer, day=day, hour=hour) for customer in hands.members(rule, now)]


def _of_dates(
    store: Store, live: Live, trigger: DateTrigger, published_at: datetime, now: datetime
) -> Iterator[Occasion]:
    """The day that has begun somewhere: everybody whose date it is comes in at their own hour."""
    hour = read_time(trigger.at)
    day = now.astimezone(FIRST_ZONE).date()
    for each in (day - timedelta(days=1), day):
        at = at_local(each, time(0), FIRST_ZONE)
        if at >= published_at - 2 * LATE and now - at <= 2 * LATE:
            guests = partial(_list_of_day, store, trigger, each, hour)
            yield Occasion(live, each.isoformat(), at, guests)


def _list_of_day(store: Store, trigger: DateTrigger, day: date, hour: time) -> list[Guest]:
    found = list_dated(store, trigger, day)
    return [
        Guest(customer=each.customer, key=each.key, context=each.context, day=day, hour=hour)
        for each in sorted(found, key=lambda dated: (dated.customer, dated.key))
    ]


def list_published(tx: sa.Connection, live: Sequence[Live]) -> list[tuple[Live, datetime]]:
    """Each with the moment at which it was published."""
    c = versions.c
    rows = tx.execute(sa.select(c.name, c.version, c.published_at))
    moments = {(row.name, row.version): row.published_at for row in rows}
    return [(each, moments[each.name, each.version]) for each in live]
