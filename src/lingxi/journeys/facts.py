"""What steps ask about customers, read in one transaction for a whole batch of runs."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import sqlalchemy as sa

from lingxi.ingest.sealed import list_subjects, read_trait
from lingxi.journeys.graph import Journey, MessageClass
from lingxi.journeys.hands import Hands
from lingxi.journeys.moments import start_of_day, start_of_week
from lingxi.journeys.run import Run
from lingxi.journeys.step import Fate
from lingxi.journeys.trigger import RuleForm
from lingxi.messaging.nouns import State
from lingxi.messaging.tables import message as messages
from lingxi.policy.tables import planned_action
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.codec import from_row
from lingxi.store.people import is_theirs
from lingxi.store.prepared import Prepared
from lingxi.store.tables import event as log_table
from lingxi.store.tables import from_micros, to_micros

TIMEZONE = "timezone"
_OPENED, _CLICKED = "Message Opened", "Message Clicked"
_VISITS = frozenset(
    ("Page Viewed", "Product Viewed", "Product List Viewed", "Products Searched", _OPENED, _CLICKED)
)
_ORDER = "Order Completed"
_MOST_SIGNS = 300
_WEEK = timedelta(days=8)
_STATES = {
    State.ACCEPTED: Fate.SENT,
    State.SKIPPED: Fate.SKIPPED,
    State.FAILED: Fate.FAILED,
}


_MESSAGES = Prepared(
    sa.select(messages.c.journey, sa.type_coerce(messages.c.queued_at, sa.BigInteger)).where(
        is_theirs(messages.c.customer),
        sa.type_coerce(messages.c.queued_at, sa.BigInteger)
        >= sa.bindparam("since", type_=sa.BigInteger),
        messages.c.journey != "",
        messages.c.message_class == MessageClass.MARKETING.value,
        messages.c.state != State.SKIPPED.value,
        messages.c.state != State.FAILED.value,
    ),
    "customer",
    "since",
)
_FATE = Prepared(
    sa.select(messages.c.state, sa.type_coerce(messages.c.sent_at, sa.BigInteger)).where(
        messages.c.id == sa.bindparam("id")
    ),
    "id",
)
_EVENTS = Prepared(
    sa.select(log_table.c.position, log_table.c.payload)
    .where(
        log_table.c.subject == sa.bindparam("subject", type_=sa.BigInteger),
        log_table.c.occurred_at >= sa.bindparam("since", type_=sa.BigInteger),
        sa.or_(*(log_table.c.name == name for name in (_OPENED, _CLICKED, _ORDER))),
    )
    .order_by(log_table.c.occurred_at.desc())
    .limit(_MOST_SIGNS),
    "subject",
    "since",
)
_OFFER = Prepared(
    sa.select(planned_action.c.offer).where(
        planned_action.c.customer == sa.bindparam("customer", type_=sa.BigInteger)
    ),
    "customer",
)


class _Sent(NamedTuple):
    """A message of this week."""

    journey: str
    queued_at: datetime


class BatchFacts:
    """Answers ``lead.Facts``; what is asked twice is read once.

    ``customers`` are those of the batch: the first question about one of them is answered for all.
    """

    def __init__(
        self,
        store: Store,
        tx: sa.Connection,
        hands: Hands,
        now: datetime,
        priorities: Mapping[str, int],
        customers: Collection[int] = (),
    ) -> None:
        self._store, self._tx, self._hands, self._now = store, tx, hands, now
        self._priorities = priorities
        self._highest = max(priorities.values(), default=0)
        self._customers = set(customers)
        self._zones: dict[int, ZoneInfo] = {}
        self._rules: dict[bytes, Any] = {}
        self._held: dict[tuple[int, bytes], bool] = {}
        self._sent: dict[int, list[_Sent]] = {}
        self._prepared: dict[int, list[_Sent]] = {}

    def zone(self, customer: int) -> ZoneInfo:
        """The trait ``timezone``, where it names one; else the shop's."""
        if customer not in self._zones:
            asked = self._customers - self._zones.keys() | {customer}
            named = read_trait(self._store, self._tx, TIMEZONE, asked)
            for each in asked:
                self._zones[each] = read_zone(named.get(each, "")) or self._shop_zone
        return self._zones[customer]

    @cached_property
    def _shop_zone(self) -> ZoneInfo:
        return self._store.settings.zone

    def holds(self, customer: int, rule: RuleForm) -> bool:
        """Whether a rule holds for the customer now."""
        text = msgspec.json.encode(rule, order="deterministic")
        key = customer, text
        if key not in self._held:
            if text not in self._rules:
                self._rules[text] = self._hands.read_rule(rule)
            read = self._rules[text]
            self._held[key] = self._hands.judge.matches(self._tx, read, customer, self._now)
        return self._held[key]

    def fates(self, run: Run, step: str) -> frozenset[Fate]:
        """What has become of the message of a step; nothing where none was queued there."""
        sent = run.context.get("messages", {}).get(step)
        row = None if sent is None else _FATE.first(self._tx, sent)
        if row is None:
            return frozenset()
        state = State(row[0])
        found = {_STATES[state]} if state in _STATES else set()
        since = run.started_at if row[1] is None else int(row[1])
        for subject in list_subjects(self._tx, run.customer):
            for event in _EVENTS.fetch(self._tx, subject, since):
                found |= _read_fate(from_row(event[0], event[1]), sent)
        return frozenset(found)

    def signs(self, customer: int) -> list[datetime]:
        """When the customer visited and opened messages, machines left out, newest first."""
        events = self._store.log.read_customer(customer, limit=_MOST_SIGNS, names=_VISITS)
        return [e.occurred_at for e in events if not e.properties.get("machine")]

    def offer(self, customer: int) -> str | None:
        """The offer of the plan, where it does not say to leave the customer alone."""
        row = _OFFER.first(self._tx, customer)
        return None if row is None or row[0] in ("", "none") else str(row[0])

    def is_capped(self, run: Run, journey: Journey) -> str:
        """Which of the journey's own caps is reached."""
        caps = journey.caps
        if caps.run is not None and int(run.context.get("sent", 0)) >= caps.run:
            return "run"
        if caps.day is None and caps.week is None:
            return ""
        own = [each for each in self._messages(run.customer) if each.journey == journey.name]
        zone = self.zone(run.customer)
        for name, most, since in (
            ("day", caps.day, start_of_day(self._now, zone)),
            ("week", caps.week, start_of_week(self._now, zone)),
        ):
            if most is not None and sum(each.queued_at >= since for each in own) >= most:
                return name
        return ""

    def yields(self, run: Run, journey: Journey) -> str:
        """The journey of higher priority that sent the customer something today."""
        if journey.message_class is MessageClass.TRANSACTIONAL:
            return ""
        mine = journey.priority
        if self._highest <= mine:
            return ""
        today = start_of_day(self._now, self.zone(run.customer))
        for each in self._messages(run.customer):
            if self._priorities.get(each.journey, 0) > mine and each.queued_at >= today:
                return each.journey
        return ""

    def note_sent(self, run: Run, journey: Journey) -> None:
        """A message was prepared in this batch: the caps and priorities of the next see it."""
        self._prepared.setdefault(run.customer, []).append(_Sent(journey.name, self._now))

    def _messages(self, customer: int) -> list[_Sent]:
        if customer not in self._sent:
            since = to_micros(self._now - _WEEK)
            rows = _MESSAGES.fetch(self._tx, customer, since)
            self._sent[customer] = [_Sent(name, from_micros(at)) for name, at in rows]
        return self._sent[customer] + self._prepared.get(customer, [])


def read_zone(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name; nothing for what names none."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _read_fate(event: Event, message: str) -> set[Fate]:
    if event.name == _ORDER:
        return {Fate.ORDERED}
    properties: Mapping[str, Any] = event.properties
    if properties.get("message") != message or properties.get("machine"):
        return set()
    return {Fate.OPENED, Fate.CLICKED} if event.name == _CLICKED else {Fate.OPENED}


__all__ = ["TIMEZONE", "BatchFacts", "read_zone"]
