"""The calendar of a shop: what its journeys are about to begin, what they began, what was sent.

Days are the shop's own. A plan is a moment that is known beforehand: of a schedule, or of dates
that customers have. What an event begins has none; its messages are counted when they are queued.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.config import MessagingSettings
from lingxi.errors import InvalidInput, UnknownJourney
from lingxi.journeys.dates import count_dated
from lingxi.journeys.durations import read_time
from lingxi.journeys.graph import Journey, MessageClass
from lingxi.journeys.moments import at_local
from lingxi.journeys.planned import Calendar, Day, Planned, Sent, Standing
from lingxi.journeys.plans import Plan, list_plans
from lingxi.journeys.step import EndStep, MessageStep
from lingxi.journeys.tables import occurrence
from lingxi.journeys.timetable import LATE
from lingxi.journeys.trigger import DateTrigger, RuleForm, ScheduleTrigger
from lingxi.journeys.versions import Held, get_version, list_journeys
from lingxi.messaging.journal import count_days
from lingxi.messaging.windows import QuietTimes
from lingxi.store import Store

MOST_DAYS = 100
FIRST_YEAR, LAST_YEAR = 1990, 2199
_DAY = timedelta(days=1)
Audience = Callable[[RuleForm | None], int | None]
"""How many customers fulfil a rule now (none: everybody); nothing where that costs too much."""


@dataclass(frozen=True)
class _Known:
    """A journey as far as the calendar goes: the definition that counts, and its state."""

    journey: Journey
    version: int
    state: str


@dataclass(frozen=True)
class _Past:
    """An occasion that was held, or is being held: how many came in."""

    version: int
    day: date
    at: datetime
    local: bool
    came_in: int
    finished: bool


class _Scope:
    """What every day of one calendar is seen in."""

    def __init__(self, store: Store, now: datetime, first: date, last: date) -> None:
        self.store, self.now, self.first, self.last = store, now, first, last
        self.zone: ZoneInfo = store.settings.zone
        self.sending: MessagingSettings = store.settings.messaging
        self.quiet = QuietTimes.read(self.sending.quiet_hours, self.sending.holidays)
        self.days = [first + n * _DAY for n in range((last - first).days + 1)]

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """When a day of the shop begins and ends."""
        return at_local(day, time(0), self.zone), at_local(day + _DAY, time(0), self.zone)


def make_calendar(
    store: Store, now: datetime, first: date, last: date, *, audience: Audience
) -> Calendar:
    """What is going to be sent and what was, day by day, both ends included.

    Raises
    ------
    InvalidInput
        As ``check_days``.
    """
    check_days(first, last)
    scope = _Scope(store, now, first, last)
    with store.read() as tx:
        known = {held.name: _know(tx, held) for held in list_journeys(tx)}
        past = _read_past(tx, scope)
        removed = {name: _know_removed(tx, name, past) for name, _ in past if name not in known}
        counts = count_days(tx, [scope.bounds(day) for day in scope.days], now)
    planned: dict[date, list[Planned]] = {day: [] for day in scope.days}
    standing = []
    for name, each in known.items():
        expected = _Expected(scope, each, audience)
        if expected.is_unknown and each.state != "draft":
            standing.append(_stand(each))
        for plan in list_plans(each.journey.trigger, scope.zone, first, last):
            found = _plan(scope, each, plan, past.pop((name, plan.slot), None), expected)
            if found is not None:
                planned[plan.day].append(found)
    every = {**removed, **known}
    for (name, _), held in past.items():  # of versions that named other moments
        if held.day in planned and held.came_in:
            planned[held.day].append(_tell(every[name], held.at, held.local, held))
    days = tuple(
        _make_day(scope, day, planned[day], found, every)
        for day, found in zip(scope.days, counts, strict=True)
    )
    return Calendar(
        timezone=str(scope.zone),
        now=now,
        first=first,
        last=last,
        quiet_hours=scope.sending.quiet_hours,
        days=days,
        standing=tuple(standing),
    )


def check_days(first: date, last: date) -> None:
    """Refuse what is no span of days that can be shown.

    Raises
    ------
    InvalidInput
        If ``last`` is before ``first``, more than ``MOST_DAYS`` days are asked for, or a year in
        which there is no shop.
    """
    if not (first.year >= FIRST_YEAR and last.year <= LAST_YEAR):
        raise InvalidInput(f"A calendar has days of {FIRST_YEAR} to {LAST_YEAR}.")
    if not 0 <= (last - first).days < MOST_DAYS:
        raise InvalidInput(
            f"A calendar has 1 to {MOST_DAYS} days; from {first} to {last} are not so many."
        )


class _Expected:
    """How many customers a plan is for, as far as that is known beforehand."""

    def __init__(self, scope: _Scope, known: _Known, audience: Audience) -> None:
        self._trigger = known.journey.trigger
        self._audience = audience
        self._asked: list[int | None] = []
        today = scope.now.astimezone(scope.zone).date()
        self._dated: Counter[date] | None = Counter()
        if isinstance(self._trigger, DateTrigger) and scope.last >= today:
            first = max(scope.first, today)
            self._dated = count_dated(scope.store, self._trigger, first, scope.last)

    @property
    def is_unknown(self) -> bool:
        """Whether there are dates, and too many to be counted."""
        return self._dated is None

    def on(self, day: date) -> int | None:
        """How many on a day; an audience is counted when it is first asked for."""
        if isinstance(self._trigger, ScheduleTrigger):
            if not self._asked:
                self._asked.append(self._audience(self._trigger.audience))
            return self._asked[0]
        return None if self._dated is None else self._dated[day]


def _plan(
    scope: _Scope, known: _Known, plan: Plan, held: _Past | None, expected: _Expected
) -> Planned | None:
    """What is told of a moment; nothing where nothing is or was to happen."""
    coming = plan.at > scope.now
    late = scope.now - plan.at > LATE
    trigger = known.journey.trigger
    once = isinstance(trigger, ScheduleTrigger) and trigger.at is not None
    if held is not None:
        dated = isinstance(trigger, DateTrigger)
        if dated and not held.came_in and (not coming or not expected.on(plan.day)):
            return None
        customers = expected.on(plan.day) if coming else None
        return _tell(known, plan.at, plan.local, held, customers)
    if not coming and (known.state == "draft" or (late and not once)):
        return None
    if late:
        return _tell(known, plan.at, plan.local, None, missed=True)
    customers = expected.on(plan.day)
    if isinstance(trigger, DateTrigger) and (not customers or known.state == "draft"):
        return None  # it would stand on every day
    waits = _find_wait(scope, known.journey, plan.at)
    return _tell(known, plan.at, plan.local, None, customers, waits_until=waits)


def _tell(
    known: _Known,
    at: datetime,
    local: bool,
    held: _Past | None,
    customers: int | None = None,
    *,
    waits_until: datetime | None = None,
    missed: bool = False,
) -> Planned:
    journey = known.journey
    return Planned(
        journey=journey.name,
        title=journey.title,
        version=known.version if held is None else held.version,
        state=known.state,
        campaign=is_campaign(journey),
        at=at,
        local=local,
        channels=tuple(dict.fromkeys(step.channel for step in journey.messages.values())),
        holdout=journey.holdout,
        customers=customers,
        waits_until=waits_until,
        came_in=None if held is None else held.came_in,
        finished=held is not None and held.finished,
        missed=missed,
    )


def is_campaign(journey: Journey) -> bool:
    """Whether a journey is one message to an audience."""
    steps = journey.steps.values()
    rest = [step for step in steps if not isinstance(step, EndStep)]
    return (
        isinstance(journey.trigger, ScheduleTrigger)
        and len(rest) == 1
        and isinstance(rest[0], MessageStep)
    )


def _find_wait(scope: _Scope, journey: Journey, at: datetime) -> datetime | None:
    """Until when quiet hours or a holiday keep the first message, if they do."""
    step = journey.steps[journey.start]
    if (
        not isinstance(step, MessageStep)
        or journey.message_class is not MessageClass.MARKETING
        or step.channel not in scope.sending.quiet_channels
    ):
        return None
    end = scope.quiet.find_end(at, scope.zone)
    return end if end > at else None


def _stand(known: _Known) -> Standing:
    trigger = known.journey.trigger
    assert isinstance(trigger, DateTrigger)
    return Standing(
        journey=known.journey.name,
        title=known.journey.title,
        state=known.state,
        time=trigger.at,
    )


def _know(tx: sa.Connection, held: Held) -> _Known:
    if not held.published:
        return _Known(held.draft, 0, "draft")
    state = "paused" if held.paused else "live"
    return _Known(get_version(tx, held.name, held.published), held.published, state)


def _know_removed(tx: sa.Connection, name: str, past: Mapping[tuple[str, str], _Past]) -> _Known:
    version = max(held.version for (journey, _), held in past.items() if journey == name)
    return _Known(get_version(tx, name, version), version, "removed")


def _read_past(tx: sa.Connection, scope: _Scope) -> dict[tuple[str, str], _Past]:
    """Occasions of schedules and dates that were held, by journey and slot."""
    c = occurrence.c
    start, end = scope.bounds(scope.first)[0], scope.bounds(scope.last)[1]
    query = (
        sa.select(c.journey, c.version, c.slot, c.at, c.entered, c.done_at)
        .where(c.at >= start - LATE, c.at < end + LATE)
        .order_by(c.version)
    )
    found: dict[tuple[str, str], _Past] = {}
    for name, version, slot, at, entered, done_at in tx.execute(query):
        try:
            trigger = get_version(tx, name, version).trigger
        except UnknownJourney:
            continue  # erased with its shop's history: nothing is known of it any more
        if not isinstance(trigger, ScheduleTrigger | DateTrigger):
            continue
        day, moment, local = _place(scope, trigger, slot, at)
        before = found.get((name, slot))
        came_in = entered + (before.came_in if before else 0)
        finished = done_at is not None or (before is not None and before.finished)
        found[name, slot] = _Past(version, day, moment, local, came_in, finished)
    return found


def _place(
    scope: _Scope, trigger: ScheduleTrigger | DateTrigger, slot: str, at: datetime
) -> tuple[date, datetime, bool]:
    """The day that an occasion is of, its moment by the shop's clock, and whether it is local."""
    if isinstance(trigger, ScheduleTrigger) and (trigger.at is not None or not trigger.local):
        return at.astimezone(scope.zone).date(), at, False
    day = date.fromisoformat(slot)
    hour = read_time(trigger.time if isinstance(trigger, ScheduleTrigger) else trigger.at)
    return day, at_local(day, hour, scope.zone), True


def _make_day(
    scope: _Scope,
    day: date,
    planned: list[Planned],
    counts: Mapping[tuple[str, str], int],
    every: Mapping[str, _Known],
) -> Day:
    start, end = scope.bounds(day)
    return Day(
        day=day,
        holiday=scope.quiet.is_holiday(day),
        hours=(end - start).total_seconds() / 3600,
        planned=tuple(sorted(planned, key=lambda each: (each.at, each.journey))),
        sent=tuple(_list_sent(counts, every)),
    )


def _list_sent(
    counts: Mapping[tuple[str, str], int], every: Mapping[str, _Known]
) -> Iterator[Sent]:
    """The messages of a day, journey by journey, the most sent first."""
    names = {name for name, _ in counts}
    order = sorted(names, key=lambda name: (-counts.get((name, "accepted"), 0), name))
    for name in order:
        states = {state: n for (journey, state), n in counts.items() if journey == name}
        known = every.get(name)
        yield Sent(
            journey=name,
            title=known.journey.title if known else {},
            accepted=states.get("accepted", 0),
            skipped=states.get("skipped", 0),
            failed=states.get("failed", 0),
            unknown=states.get("unknown", 0),
            waiting=states.get("queued", 0) + states.get("sending", 0),
        )
