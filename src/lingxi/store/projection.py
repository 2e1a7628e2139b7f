"""A projection: a table that is always the fold of the log, kept in append's own transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection, Table, delete, select

from lingxi.schema import Event
from lingxi.store.codec import from_row
from lingxi.store.keyed import Key, select_by_keys, upsert
from lingxi.store.tables import event as event_table
from lingxi.store.tables import identity


class Projection(Protocol):
    """A pure fold and the table that holds its rows.

    The primary key of ``table`` is the key of the fold; its first column is ``customer``.
    """

    @property
    def name(self) -> str:
        """Names the projection in messages."""

    @property
    def table(self) -> Table:
        """Where the rows lie."""

    def keys(self, event: Event, customer: int, /) -> Iterable[Key]:
        """Keys of the rows that this event changes, ``customer`` first; none to ignore it."""

    def update(
        self, row: Mapping[str, object] | None, event: Event, customer: int, key: Key, /
    ) -> Mapping[str, object]:
        """The row after this event, from the row before it (``None``: there was none).

        Key columns may be left out of the answer; all others must be in it.
        """


def find_customers(connection: Connection, subjects: Collection[int]) -> dict[int, int]:
    """The customer of each subject; a subject without identity is its own customer."""
    found = {subject: subject for subject in subjects}
    if subjects:
        query = select_by_keys(
            connection,
            [identity.c.subject],
            [(s,) for s in subjects],
            [identity.c.subject, identity.c.customer],
        )
        found.update((row[0], row[1]) for row in connection.execute(query).all())
    return found


def fold(
    connection: Connection, projections: Sequence[Projection], events: Sequence[Event]
) -> None:
    """Bring every projection up to date with ``events``, which are in log order."""
    subjects = {e.subject for e in events if e.subject is not None}
    if not projections or not subjects:
        return
    customers = find_customers(connection, subjects)
    pairs = [(e, customers[e.subject]) for e in events if e.subject is not None]
    for projection in projections:
        _fold_one(connection, projection, pairs)


def _fold_one(
    connection: Connection, projection: Projection, pairs: Sequence[tuple[Event, int]]
) -> None:
    table = projection.table
    columns = list(table.primary_key.columns)
    others = [c for c in table.columns if not c.primary_key]
    names = [c.name for c in (*columns, *others)]
    touched = [
        (key, event, customer)
        for event, customer in pairs
        for key in projection.keys(event, customer)
    ]
    if not touched:
        return
    wanted = {key for key, _, _ in touched}
    query = select_by_keys(connection, columns, wanted, [*columns, *others])
    keyed = len(columns)
    rows: dict[Key, Mapping[str, object]] = {
        tuple(row[:keyed]): dict(zip(names, row, strict=True))
        for row in connection.execute(query).all()
    }
    for key, event, customer in touched:
        rows[key] = projection.update(rows.get(key), event, customer, key)
    key_names = names[:keyed]
    changed = [{**rows[key], **dict(zip(key_names, key, strict=True))} for key in wanted]
    upsert(connection, table, changed)


def rebuild(
    connection: Connection, projections: Sequence[Projection], customers: Collection[int]
) -> None:
    """Delete these customers' rows and fold their events again, in log order."""
    wanted = sorted(customers)
    for projection in projections:
        column = projection.table.c.customer
        connection.execute(delete(projection.table).where(column.in_(wanted)))
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        subjects = select(identity.c.subject).where(identity.c.customer.in_(part))
        belongs = event_table.c.subject.in_(subjects) | event_table.c.subject.in_(part)
        query = select(event_table.c.position, event_table.c.payload).where(belongs)
        found = connection.execute(query.order_by(event_table.c.position)).all()
        events = [from_row(row[0], row[1]) for row in found]
        # a subject that was merged into another customer is no longer its own
        customers_now = find_customers(connection, {e.subject for e in events if e.subject})
        own = [e for e in events if e.subject and customers_now[e.subject] in set(part)]
        fold(connection, projections, own)
