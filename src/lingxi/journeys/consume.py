"""Reads the log: what customers do begins runs, wakes those that wait for it, and ends others.

One cursor, moved in the transaction that keeps what was made of the events: each counts once,
however many workers read. An event that is older than ``FRESH`` when it is read begins and wakes
nothing: a history that is imported is no news.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lingxi.journeys.book import Book, Entrant
from lingxi.journeys.facts import BatchFacts
from lingxi.journeys.graph import Goal, Journey
from lingxi.journeys.hands import Hands
from lingxi.journeys.happening import Happening, list_values, meets
from lingxi.journeys.merging import follow_people
from lingxi.journeys.run import Outcome, Run, describe_cause
from lingxi.journeys.step import WaitStep
from lingxi.journeys.tables import run as runs
from lingxi.journeys.trigger import EventTrigger, SegmentTrigger, StageTrigger
from lingxi.journeys.unread import CURSOR, read_cursor
from lingxi.journeys.versions import Live, list_every, list_live
from lingxi.journeys.vocabulary import CROSSINGS, PEOPLE, list_names
from lingxi.schema import Event, Name
from lingxi.schema.event import SYSTEM_EVENTS
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.log import log_position, read_events
from lingxi.store.projection import find_customers
from lingxi.store.tables import to_micros

FRESH = timedelta(days=2)
BATCH = 100
"""Events that do something in one transaction: it holds the lock for milliseconds."""
_READ = 2_000
_FAR = 2_000
_REACH = 50_000
"""Positions that one look goes through at most."""
_LONGEST_KEY = 200
_MOST_KEYS = 20
_OWN = frozenset(name.value for name in SYSTEM_EVENTS)


@dataclass(frozen=True)
class _Heard:
    """An event that does something: whose it is, and the journeys that it begins."""

    event: Event
    customer: int
    entries: tuple[tuple[Live, Entrant], ...]


def consume_log(store: Store, hands: Hands, now: datetime) -> int:
    """Read the next events that matter to some journey; how many events were passed."""
    with store.read() as tx:
        after, last = read_cursor(tx), log_position(tx)
        if last <= after:
            return 0
        live = list_live(tx)
        names = list_names(list_every(tx))
        reach = min(last, after + _REACH)
        events = read_events(tx, after=after, limit=_READ, names=names, upto=reach)
        if not events and last - after < _FAR and after:
            return 0  # nothing that matters: the cursor need not be written for so few
        heard, upto = _hear(store, tx, hands, live, events, now)
    if upto is None:
        upto = events[-1].position if len(events) == _READ else reach
    with store.write() as tx:
        if read_cursor(tx) != after:
            return 1  # another worker was here: look again
        if heard:
            _apply(store, tx, hands, heard, now)
        store.log.move_cursor(tx, CURSOR, upto)
    return upto - after


# -- what begins


def _hear(
    store: Store,
    tx: sa.Connection,
    hands: Hands,
    live: Sequence[Live],
    events: Sequence[Event],
    now: datetime,
) -> tuple[list[_Heard], int | None]:
    """The events that do something, at most ``BATCH`` of them; where it stopped early, where."""
    subjects = {event.subject for event in events if event.subject is not None}
    owners = find_customers(tx, subjects)
    people = any(event.name in PEOPLE for event in events)
    # after a merge runs still bear the customer they had
    moving = set(owners.values()) if people else _find_moving(tx, set(owners.values()))
    facts = BatchFacts(store, tx, hands, now, {})
    heard: list[_Heard] = []
    for event in events:
        if event.subject is None:
            continue
        customer = owners[event.subject]
        entries = tuple(_list_entries(facts, live, event, customer, now))
        if entries or customer in moving or event.name in PEOPLE:
            heard.append(_Heard(event, customer, entries))
            if entries:
                moving.add(customer)
        if len(heard) >= BATCH:
            return heard, event.position
    return heard, None


def _find_moving(tx: sa.Connection, customers: Collection[int]) -> set[int]:
    """Those customers who have a run on its way."""
    columns = [runs.c.customer, runs.c.ended_at]
    found = fetch_by_keys(tx, [runs.c.customer], [(c,) for c in customers], columns)
    return {customer for customer, ended_at in found if ended_at is None}


def _list_entries(
    facts: BatchFacts, live: Sequence[Live], event: Event, customer: int, now: datetime
) -> Iterator[tuple[Live, Entrant]]:
    told = event.received_at if event.name in _OWN else event.occurred_at
    if now - told > FRESH or event.subject is None:
        return
    for each in live:
        if not each.is_news(event) or not begins(each.journey, event):
            continue
        entry = each.journey.entry
        if entry is not None and not facts.holds(customer, entry):
            continue
        context = {**describe_cause(event), "at": to_micros(event.occurred_at)}
        for key in list_keys(each.journey, event):
            yield each, Entrant(customer, event.subject, key, context)


def begins(journey: Journey, event: Event) -> bool:
    """Whether an event begins a journey, its entry rule left aside."""
    match journey.trigger:
        case EventTrigger(events=names, where=where):
            return event.name in names and meets(where, event)
        case SegmentTrigger(segment=segment, change=change):
            name = CROSSINGS[change.value]
            return event.name == name and event.properties.get("segment") == segment
        case StageTrigger(to=to, before=before):
            if event.name != Name.STAGE_CHANGED:
                return False
            old, new = event.properties.get("from"), event.properties.get("to")
            return new in to and (not before or old in before)
    return False


def list_keys(journey: Journey, event: Event) -> Sequence[str]:
    """What the run is of: the values of the trigger's key in the event, else the customer."""
    if not journey.key:
        return ("",)
    values = [str(value)[:_LONGEST_KEY] for value in list_values(event, journey.key)]
    return values[:_MOST_KEYS] or ("",)


# -- what goes on and what ends


def _apply(
    store: Store, tx: sa.Connection, hands: Hands, heard: Sequence[_Heard], now: datetime
) -> None:
    people = [each.event for each in heard if each.event.name in PEOPLE]
    if people:
        follow_people(store, tx, hands, people, now)
    book = Book(store, tx, hands, {each.customer for each in heard}, now)
    for each in heard:
        for run in book.list_active(each.customer):
            react(book, run, each.event)
        for live, entrant in each.entries:
            book.start(live, entrant)
    book.write()


def react(book: Book, run: Run, event: Event) -> None:
    """End a run at its goal or an exit, or wake it, if the event is what it is about."""
    journey = book.journey_of(run)
    if event.event_id == run.context.get("event"):
        return
    since = int(run.context.get("at", run.started_at))
    if to_micros(event.occurred_at) < since:
        return
    goal = journey.goal
    if goal is not None and _matches(goal, journey, run, event):
        book.end(run, Outcome.GOAL, "journeys.did.goal", event=event.name)
        return
    for each in journey.exits:
        if each.happening is not None and _matches(each.happening, journey, run, event):
            book.end(run, Outcome.EXIT, "journeys.did.exit_event", event=event.name)
            return
    step = journey.steps[book.node_of(run)]
    if not isinstance(step, WaitStep) or step.event is None:
        return
    if _matches(step.event, journey, run, event):
        book.leave(run, step.next, "next", "journeys.did.heard", event=event.name)


def _matches(wanted: Happening | Goal, journey: Journey, run: Run, event: Event) -> bool:
    if event.name != wanted.event or not meets(wanted.where, event):
        return False
    if not wanted.same_key or not run.key:
        return True
    return run.key in {str(value) for value in list_values(event, journey.key)}
