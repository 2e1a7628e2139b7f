"""A projection: a table that is always the fold of the log, kept in append's own transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeGuard, runtime_checkable

from sqlalchemy import Connection, Table, delete, select

from lingxi.schema import Event
from lingxi.store.adding import Columns, Row, add_rows
from lingxi.store.codec import from_row
from lingxi.store.counters import allocate
from lingxi.store.keyed import Key, fetch_by_keys, fetch_typed, upsert
from lingxi.store.tables import event as event_table
from lingxi.store.tables import identity

REBUILT = "rebuilt"
"""Counter of the times that rows were removed or folded again, and not only added to."""

_ADDING: dict[type, bool] = {}
_FOLDING: dict[type, bool] = {}

Pairs = Sequence[tuple[Event, int]]
"""Events with their customers, in log order."""


class Projection(Protocol):
    """A table that is a function of the log; how is said by ``Folding``, ``Adding`` or both.

    The first column of the table's primary key is ``customer``.
    """

    @property
    def name(self) -> str:
        """Names the projection in messages."""

    @property
    def table(self) -> Table:
        """Where the rows lie."""


@runtime_checkable
class Folding(Projection, Protocol):
    """A pure fold: each row is read, changed event by event, and written.

    The primary key of ``table`` is the key of the fold.
    """

    def keys(self, event: Event, customer: int, /) -> Iterable[Key]:
        """Keys of the rows that this event changes, ``customer`` first; none to ignore it."""

    def update(
        self, row: Mapping[str, object] | None, event: Event, customer: int, key: Key, /
    ) -> Mapping[str, object]:
        """The row after this event, from the row before it (``None``: there was none).

        Key columns may be left out of the answer; all others must be in it.
        """


@runtime_checkable
class Adding(Projection, Protocol):
    """Columns that are sums, least and greatest values: the database adds, no row is read.

    Several times faster than ``Folding``, which the events that ``add_up`` leaves over go through.
    """

    def add_up(self, pairs: Pairs, /) -> tuple[Sequence[Row], Pairs]:
        """The rows that these events make, one a key, and the events left over.

        A row has the columns of the table in their order, in the forms that the driver keeps. The
        events left over are all those of their customers: no customer is in both.
        """

    @staticmethod
    def merge(old: Columns, new: Columns) -> Columns:
        """What a column becomes, from the old row and the new; columns left out stay."""


def find_customers(connection: Connection, subjects: Collection[int]) -> dict[int, int]:
    """The customer of each subject; a subject without identity is its own customer."""
    found = {subject: subject for subject in subjects}
    if subjects:
        columns = [identity.c.subject, identity.c.customer]
        found.update(fetch_by_keys(connection, columns[:1], [(s,) for s in subjects], columns))
    return found


def fold(
    connection: Connection,
    projections: Sequence[Projection],
    events: Sequence[Event],
    owners: Mapping[int, int] | None = None,
) -> None:
    """Bring every projection up to date with ``events``, which are in log order.

    ``owners`` is the customer of subjects where this transaction knows it already.
    """
    if not projections:
        return
    known = owners or {}
    strange = {e.subject for e in events if e.subject is not None and e.subject not in known}
    customers = {**known, **find_customers(connection, strange)} if strange else known
    pairs = [(e, customers[e.subject]) for e in events if e.subject is not None]
    if not pairs:
        return
    for projection in projections:
        left: Pairs = pairs
        if _is_adding(projection):
            rows, left = projection.add_up(pairs)
            add_rows(connection, projection.table, projection.merge, rows)
        if left and _is_folding(projection):
            _fold_one(connection, projection, left)


def _is_adding(projection: Projection) -> TypeGuard[Adding]:
    """Whether its rows are added up. Each class is asked once: asking a protocol costs more than a
    small append does."""
    kind = type(projection)
    if kind not in _ADDING:
        _ADDING[kind] = isinstance(projection, Adding)
    return _ADDING[kind]


def _is_folding(projection: Projection) -> TypeGuard[Folding]:
    kind = type(projection)
    if kind not in _FOLDING:
        _FOLDING[kind] = isinstance(projection, Folding)
    return _FOLDING[kind]


def _fold_one(connection: Connection, projection: Folding, pairs: Pairs) -> None:
    touched = [
        (key, event, customer)
        for event, customer in pairs
        for key in projection.keys(event, customer)
    ]
    if not touched:
        return
    table = projection.table
    columns = list(table.primary_key.columns)
    others = [c for c in table.columns if not c.primary_key]
    names = [c.name for c in (*columns, *others)]
    wanted = {key for key, _, _ in touched}
    found = fetch_typed(connection, columns, wanted, [*columns, *others])
    keyed = len(columns)
    rows: dict[Key, Mapping[str, object]] = {
        tuple(row[:keyed]): dict(zip(names, row, strict=True)) for row in found
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
    allocate(connection, REBUILT, 1)
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
