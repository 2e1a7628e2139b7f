"""Of whom the log tells something that journeys have not read yet: their runs wait for it."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from lingxi.store.log import log_position
from lingxi.store.prepared import Prepared
from lingxi.store.projection import find_customers
from lingxi.store.tables import event as log_table
from lingxi.store.tables import log_cursor

CURSOR = "journeys"
_MOST_PENDING = 20_000
_READ_TO = Prepared(sa.select(log_cursor.c.position).where(log_cursor.c.consumer == CURSOR))


def read_cursor(tx: sa.Connection) -> int:
    """How far journeys have read the log; 0 before the first look."""
    row = _READ_TO.first(tx)
    return 0 if row is None else int(row[0])


class Unread:
    """Remembers how far it has looked: what held nothing is not looked through again."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()
        self._query = _ask_subjects(())
        self._clear = 0

    def find(
        self, tx: sa.Connection, customers: Collection[int], names: frozenset[str]
    ) -> frozenset[int]:
        """Those of these customers with unread events of these names; all of them, where there is
        too much to tell."""
        if names != self._names:
            self._names, self._clear = names, 0
            self._query = _ask_subjects(sorted(names))
        last = log_position(tx)
        if last <= self._clear:
            return frozenset()
        start = max(read_cursor(tx), self._clear)
        if last <= start:
            return frozenset()
        subjects = {row[0] for row in self._query.fetch(tx, start, _MOST_PENDING)}
        if not subjects:
            self._clear = last
            return frozenset()
        if len(subjects) >= _MOST_PENDING:
            return frozenset(customers)
        return frozenset(find_customers(tx, subjects).values()) & frozenset(customers)


def _ask_subjects(names: Sequence[str]) -> Prepared:
    c = log_table.c
    named = sa.or_(sa.false(), *(c.name == name for name in names))
    return Prepared(
        sa.select(c.subject)
        .where(c.position > sa.bindparam("start", type_=sa.BigInteger), named)
        .where(c.subject.is_not(None))
        .limit(sa.bindparam("most", type_=sa.BigInteger)),
        "start",
        "most",
    )
