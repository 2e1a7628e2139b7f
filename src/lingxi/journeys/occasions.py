"""An occasion lets many customers into a journey: a moment of a schedule, a day, a scoring.

They come in by the order of their ids, some at a time, and the last id is kept in the transaction
that lets them in: an occasion that is interrupted goes on where it stopped, and one that is over is
never held again.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import msgspec
import sqlalchemy as sa

from lingxi.journeys.book import Book, Entrant
from lingxi.journeys.facts import BatchFacts
from lingxi.journeys.hands import Hands
from lingxi.journeys.moments import at_local
from lingxi.journeys.run import Context
from lingxi.journeys.tables import occurrence
from lingxi.journeys.versions import Live
from lingxi.store import Store

AT_ONCE = 100
"""Customers let in by one transaction."""
_COLUMN = occurrence.c


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """A customer for whom an occasion is; ``day`` and ``hour``, if any, are their own clocks'."""

    customer: int
    key: str = ""
    context: Context = {}
    day: date | None = None
    hour: time | None = None


@dataclass(frozen=True)
class Occasion:
    """When, for which journey, and for whom; ``guests`` are asked for once, sorted by customer.

    ``slot`` is the same for the same occasion and differs for every other of the journey. ``noted``
    is told of guests in the transaction that lets them in.
    """

    live: Live
    slot: str
    at: datetime
    guests: Callable[[], Sequence[Guest]]
    noted: Callable[[sa.Connection, Sequence[Guest]], None] | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        """Names it among all occasions."""
        return self.live.name, self.live.version, self.slot


def is_over(tx: sa.Connection, journey: str, slot: str) -> bool:
    """Whether an occasion of a journey has let in all who were to come."""
    query = sa.select(_COLUMN.done_at).where(
        _COLUMN.journey == journey, _COLUMN.slot == slot, _COLUMN.done_at.is_not(None)
    )
    return tx.execute(query).first() is not None


def hold(
    store: Store,
    hands: Hands,
    occasion: Occasion,
    guests: Sequence[Guest],
    now: datetime,
    *,
    may_go_on: Callable[[], bool],
) -> int:
    """Let guests in while ``may_go_on`` says so; how many were looked at, at least 1."""
    seen = 0
    for after, part in _list_parts(store, occasion, guests):
        entrants = choose_entrants(store, hands, occasion.live, part, now)
        last = part[-1].customer if part else after
        done = len(part) < AT_ONCE or part[-1] is guests[-1]
        with store.write() as tx:
            if _read_after(tx, occasion) != after:
                return seen + 1  # another worker lets them in: look again
            entered = enter(store, tx, hands, occasion.live, entrants, now)
            if occasion.noted is not None:
                occasion.noted(tx, part)
            _note(tx, occasion, last, entered, now if done else None)
        seen += len(part)
        if done or not may_go_on():
            break
    return max(seen, 1)


def _list_parts(
    store: Store, occasion: Occasion, guests: Sequence[Guest]
) -> Iterator[tuple[int, Sequence[Guest]]]:
    while True:
        with store.read() as tx:
            after = _read_after(tx, occasion)
        first = bisect_right(guests, after, key=lambda guest: guest.customer)
        part = list(guests[first : first + AT_ONCE])
        while part and len(part) >= AT_ONCE and first + len(part) < len(guests):
            more = guests[first + len(part)]
            if more.customer != part[-1].customer:
                break
            part.append(more)  # a customer's keys come in together
        yield after, part


def _read_after(tx: sa.Connection, occasion: Occasion) -> int:
    query = sa.select(_COLUMN.after).where(
        _COLUMN.journey == occasion.live.name,
        _COLUMN.version == occasion.live.version,
        _COLUMN.slot == occasion.slot,
    )
    return tx.execute(query).scalar() or 0


def _note(
    tx: sa.Connection, occasion: Occasion, after: int, entered: int, done_at: datetime | None
) -> None:
    key = {
        "journey": occasion.live.name,
        "version": occasion.live.version,
        "slot": occasion.slot,
    }
    own = sa.and_(*(_COLUMN[name] == value for name, value in key.items()))
    change = {"after": after, "entered": _COLUMN.entered + entered, "done_at": done_at}
    if tx.execute(sa.update(occurrence).where(own).values(**change)).rowcount == 0:
        row = {**key, "at": occasion.at, "after": after, "entered": entered, "done_at": done_at}
        tx.execute(sa.insert(occurrence).values(**row))


def choose_entrants(
    store: Store, hands: Hands, live: Live, guests: Sequence[Guest], now: datetime
) -> list[Entrant]:
    """Those guests who meet the journey's entry rule, each at the moment of their own clocks."""
    with store.read() as tx:
        facts = BatchFacts(store, tx, hands, now, {})
        entry = live.journey.entry
        return [
            Entrant(
                customer=guest.customer,
                subject=guest.customer,
                key=guest.key,
                context=guest.context,
                due_at=_find_moment(guest, facts),
            )
            for guest in guests
            if entry is None or facts.holds(guest.customer, entry)
        ]


def _find_moment(guest: Guest, facts: BatchFacts) -> datetime | None:
    if guest.day is None or guest.hour is None:
        return None
    return at_local(guest.day, guest.hour, facts.zone(guest.customer))


def enter(
    store: Store,
    tx: sa.Connection,
    hands: Hands,
    live: Live,
    entrants: Sequence[Entrant],
    now: datetime,
) -> int:
    """Begin their runs, where re-entry allows it; how many began or were held out."""
    if not entrants:
        return 0
    book = Book(store, tx, hands, {entrant.customer for entrant in entrants}, now)
    began = sum(book.start(live, entrant) is not None for entrant in entrants)
    book.write()
    return began


def forget_old(tx: sa.Connection, now: datetime) -> None:
    """Drop what is known of occasions that can no longer come again."""
    tx.execute(sa.delete(occurrence).where(_COLUMN.done_at < now - timedelta(days=400)))
