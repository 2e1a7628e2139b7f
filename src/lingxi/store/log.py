"""The log: every event once, in the order it arrived; the only way from room to room and back."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, Dialect, Engine, delete, func, select, tuple_
from sqlalchemy.dialects import sqlite

from lingxi.schema import Event
from lingxi.store.codec import from_row, is_whole, to_rows
from lingxi.store.counters import peek, put
from lingxi.store.engine import begin_read, begin_write, lock_log
from lingxi.store.keyed import execute_rows, fetch_by_keys, insert_or_ignore, upsert
from lingxi.store.message_ids import message_ids, note_append
from lingxi.store.projection import Projection, fold
from lingxi.store.tables import NAMED, event, identity, is_message, log_cursor, to_micros

BATCH = 1_000
_COUNTER = "event"
_COLUMNS = tuple(column.name for column in event.columns)


@dataclass(frozen=True)
class Appended:
    """What an append did; ``position`` is the log's last position afterwards.

    ``positions`` holds the place of each event that was new, by its ``event_id``.
    """

    inserted: int
    duplicates: int
    position: int
    positions: Mapping[str, int] = field(default_factory=dict)


class Log:
    """The event log of one shop."""

    def __init__(self, engine: Engine, projections: Sequence[Projection] = ()) -> None:
        self._engine = engine
        self._projections = tuple(projections)

    def append(
        self,
        events: Sequence[Event],
        *,
        tx: Connection | None = None,
        owners: Mapping[int, int] | None = None,
    ) -> Appended:
        """Keep events, each ``event_id`` once, and fold the new ones into every projection.

        Without ``tx`` each thousand events is a transaction of its own: after a failure, append the
        same events again. With ``tx`` (from ``Store.write``) all of it belongs to that transaction;
        ``owners`` are customers of subjects that it has looked up already.

        Raises
        ------
        InvalidInput
            If a moment is naive.
        StoreBusy, StoreUnavailable
            If the database cannot be written.
        """
        positions: dict[str, int] = {}
        position = 0
        for start in range(0, max(len(events), 1), BATCH):
            batch = events[start : start + BATCH]
            with begin_write(self._engine) if tx is None else nullcontext(tx) as connection:
                if batch:
                    lock_log(connection)
                    fresh, position = self._append_batch(connection, batch, owners)
                    first = position - len(fresh) + 1
                    positions.update({e.event_id: first + i for i, e in enumerate(fresh)})
                else:
                    position = peek(connection, _COUNTER)
        return Appended(len(positions), len(events) - len(positions), position, positions)

    def _append_batch(
        self, connection: Connection, batch: Sequence[Event], owners: Mapping[int, int] | None
    ) -> tuple[Sequence[Event], int]:
        """The events that were new, in their order, and the last position."""
        last = peek(connection, _COUNTER)
        note_append(connection, last)
        told = [name for e in batch if is_message(name := e.event_id)]
        batch = _leave_out_known(connection, batch, told) if told else batch
        done = _insert_rows(connection, batch, last) if batch else 0
        if done == 0:
            return (), last
        fresh = batch if done == len(batch) else _close_gaps(connection, batch, last)
        put(connection, _COUNTER, last + done)
        places = enumerate((e.event_id for e in fresh), last + 1) if told else ()
        messages = {event_id: position for position, event_id in places if is_message(event_id)}
        if messages:
            message_ids(connection).add(connection, messages, last + done)
        fold(connection, self._projections, fresh, owners)
        return fresh, last + done

    def read(
        self,
        *,
        after: int = 0,
        limit: int = 10_000,
        names: Collection[str] | None = None,
        upto: int | None = None,
    ) -> list[Event]:
        """Events past position ``after``, in the order of their positions, none past ``upto``.

        A position once passed never gains an event, so a consumer may remember the last one.
        """
        with begin_read(self._engine) as connection:
            return read_events(connection, after=after, limit=limit, names=names, upto=upto)

    def read_customer(
        self,
        customer: int,
        *,
        limit: int = 100,
        before: tuple[datetime, int] | None = None,
        names: Collection[str] | None = None,
    ) -> list[Event]:
        """A customer's events over all their subjects, newest first.

        ``before`` is the ``(occurred_at, position)`` of the last event of the page before.
        """
        with begin_read(self._engine) as connection:
            subjects = select(identity.c.subject).where(identity.c.customer == customer)
            own = set(connection.execute(subjects).scalars())
            if not connection.execute(
                select(identity.c.subject).where(identity.c.subject == customer)
            ).first():
                own.add(customer)
            order = (event.c.occurred_at, event.c.position)
            query = select(event.c.position, event.c.payload).where(event.c.subject.in_(own))
            if before is not None:
                query = query.where(tuple_(*order) < tuple_(to_micros(before[0]), before[1]))
            if names is not None:
                query = query.where(event.c.name.in_(sorted(names)))
            query = query.order_by(*(column.desc() for column in order)).limit(limit)
            return [from_row(row[0], row[1]) for row in connection.execute(query).all()]

    def find_damaged(self) -> list[int]:
        """The positions of events that cannot be read; each is looked at."""
        damaged: list[int] = []
        after, end = 0, self.position()
        while after < end:
            with begin_read(self._engine) as connection:
                query = select(event.c.position, event.c.payload).where(event.c.position > after)
                rows = connection.execute(query.order_by(event.c.position).limit(BATCH)).all()
            damaged += [position for position, payload in rows if not is_whole(position, payload)]
            after = rows[-1].position if rows else end
        return damaged

    def warm(self) -> None:
        """Read what it takes to know messages again, so that the first of them need not wait."""
        with begin_read(self._engine) as connection:
            message_ids(connection).load(connection)

    def position(self) -> int:
        """The position of the last event ever appended; 0 for an empty log."""
        with begin_read(self._engine) as connection:
            return peek(connection, _COUNTER)

    def count(self) -> int:
        """Events in the log."""
        with begin_read(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(event)).scalar_one()

    def cursor(self, consumer: str) -> int:
        """How far a consumer has read; 0 before its first move."""
        with begin_read(self._engine) as connection:
            query = select(log_cursor.c.position).where(log_cursor.c.consumer == consumer)
            return connection.execute(query).scalar() or 0

    def move_cursor(self, tx: Connection, consumer: str, position: int) -> None:
        """Record how far a consumer has read, in the transaction that keeps what it made of it."""
        upsert(tx, log_cursor, [{"consumer": consumer, "position": position}])


def read_events(
    connection: Connection,
    *,
    after: int,
    limit: int,
    names: Collection[str] | None = None,
    besides: Collection[str] = (),
    upto: int | None = None,
) -> list[Event]:
    """Events past a position, in order, seen by this transaction; of these ``names`` if given, none
    of those ``besides``, none past the position ``upto``.

    Names have no index: where most events have others, ``upto`` keeps a look short, and with it the
    time for which nothing of the write-ahead log can be put away.
    """
    query = select(event.c.position, event.c.payload).where(event.c.position > after)
    if names is not None:
        query = query.where(event.c.name.in_(sorted(names)))
    if besides:
        query = query.where(event.c.name.not_in(sorted(besides)))
    if upto is not None:
        query = query.where(event.c.position <= upto)
    query = query.order_by(event.c.position).limit(limit)
    return [from_row(row[0], row[1]) for row in connection.execute(query).all()]


def log_position(connection: Connection) -> int:
    """The last position given out, seen by this transaction."""
    return peek(connection, _COUNTER)


def count_events(connection: Connection, after: int, upto: int) -> int:
    """Events past a position up to another: no event ever comes between those that are there, so
    fewer than there were means that some are gone."""
    query = select(func.count()).where(event.c.position > after, event.c.position <= upto)
    return connection.execute(query).scalar_one()


def find_known(connection: Connection, event_ids: Collection[str]) -> set[str]:
    """Which of these events are in the log already."""
    messages = [each for each in event_ids if is_message(each)]
    known = message_ids(connection).find(connection, messages) if messages else set()
    column = event.c.event_id
    named = [(each,) for each in event_ids if not is_message(each)]
    rows = fetch_by_keys(connection, [column], named, [column], only=NAMED)
    return known.union(row[0] for row in rows)


def _leave_out_known(
    connection: Connection, batch: Sequence[Event], messages: Sequence[str]
) -> Sequence[Event]:
    """The batch without those of its messages that are in the log; of those with one id the
    first."""
    known = message_ids(connection).find(connection, messages)
    if not known and len(set(messages)) == len(messages):
        return batch
    fresh = []
    for each in batch:
        if each.event_id not in known:
            fresh.append(each)
            if is_message(each.event_id):
                known.add(each.event_id)
    return fresh


def _insert_rows(connection: Connection, batch: Sequence[Event], last: int) -> int:
    """Insert the events that are not there yet, each at its place after ``last``; how many."""
    rows = to_rows(batch, last + 1)
    if connection.dialect.name == "sqlite":
        # all columns have plain types: the driver takes the tuples as they are
        return execute_rows(connection, _compile_insert(connection.dialect), rows)
    statement = insert_or_ignore(connection, event, key=event.c.event_id, only=NAMED)
    values = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    result = connection.execute(statement.returning(event.c.position), values)
    return len(result.all())


@lru_cache
def _compile_insert(dialect: Dialect) -> str:
    """The insert of rows that are not there yet, for SQLite: its text takes longer to make than ten
    of the rows to insert."""
    statement = sqlite.insert(event).on_conflict_do_nothing(
        index_elements=[event.c.event_id], index_where=NAMED
    )
    return str(statement.compile(dialect=dialect))


def _close_gaps(connection: Connection, batch: Sequence[Event], last: int) -> list[Event]:
    """Insert again, without the places that duplicates took; the events that are new."""
    query = select(event.c.position).where(event.c.position > last).order_by(event.c.position)
    fresh = [batch[position - last - 1] for position in connection.execute(query).scalars()]
    connection.execute(delete(event).where(event.c.position > last))
    _insert_rows(connection, fresh, last)
    return fresh
