"""Statements whose text is made once, for what every request asks and writes."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Table, Update, bindparam, insert

from lingxi.store.engine import check_transaction, is_writing
from lingxi.store.tables import driver_type

_FEW_ROWS = 4
Memory = dict[object, Any]
"""Answers of the state that a connection sees."""
_remembering: dict[int, tuple[Connection, Any, Memory]] = {}
"""Connections of ``Reader``: what the driver calls them, and what they remember."""
_Text = tuple[str, list[tuple[int, Any]] | None]


class Prepared:
    """A query of a fixed form, with its parameters in a fixed order.

    SQLAlchemy spends more on a small query than SQLite on answering it. Values come as the driver
    gives them: types that SQLAlchemy translates, such as moments, must be coerced to what is
    stored, and a boolean may be 0 or 1. ``large``: an answer is too large to be remembered.
    """

    def __init__(self, query: Select[Any], *names: str, large: bool = False) -> None:
        self._query, self._names, self._large = query, names, large
        self._text: _Text | None = None

    def fetch(self, tx: Connection, *values: object) -> Sequence[tuple[Any, ...]]:
        """All rows, the values being those of the parameters' names in their order."""
        held = _remembering.get(id(tx))
        if held is None or held[0] is not tx:
            if tx.dialect.name != "sqlite":
                found = tx.execute(self._query, dict(zip(self._names, values, strict=True)))
                return [tuple(row) for row in found]
            return self._ask(tx, tx.connection.driver_connection, values)
        _, raw, memory = held
        if self._large:
            return self._ask(tx, raw, values)
        known: Sequence[tuple[Any, ...]] | None = memory.get((self, values))
        if known is None:
            known = self._ask(tx, raw, values)
            if len(known) <= _FEW_ROWS:
                memory[self, values] = known
        return known

    def _ask(self, tx: Connection, raw: Any, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        """The rows that SQLite gives."""
        if self._text is None:
            self._text = _compile(self._query, self._names, tx.dialect)
        text, bound = _bind(self._text, values)
        try:
            rows: list[tuple[Any, ...]] = raw.execute(text, bound).fetchall()
        except sqlite3.Error as error:
            if is_writing(tx):
                check_transaction(raw, error)
            again = tx.exec_driver_sql(text, bound)  # fails again, in words that say what to do
            return [tuple(row) for row in again]
        return rows

    def first(self, tx: Connection, *values: object) -> tuple[Any, ...] | None:
        """The first row, or nothing."""
        rows = self.fetch(tx, *values)
        return rows[0] if rows else None


def remember(tx: Connection, raw: Any) -> Memory:
    """Let what this connection is answered be remembered; its memory, to be emptied by the caller
    when anybody has changed the database."""
    memory: Memory = {}
    _remembering[id(tx)] = tx, raw, memory
    return memory


def forget(tx: Connection) -> None:
    """Remember nothing of this connection any more."""
    _remembering.pop(id(tx), None)


class PreparedChange:
    """A change of a fixed form, with its parameters in a fixed order.

    Values come as the driver takes them, as for ``Prepared``: moments as whole microseconds.
    """

    def __init__(self, change: Insert | Update | Delete, *names: str) -> None:
        self._change, self._names = change, names
        self._text: _Text | None = None

    @classmethod
    def insert(cls, table: Table, *names: str) -> "PreparedChange":
        """A row of these columns, the values being theirs in their order."""
        kinds = {name: driver_type(table.c[name].type) for name in names}
        values = {name: bindparam(f"new_{name}", type_=kind) for name, kind in kinds.items()}
        return cls(insert(table).values(values), *(f"new_{name}" for name in names))

    def execute(self, tx: Connection, *values: object) -> int:
        """Make the change; how many rows it touched."""
        if tx.dialect.name != "sqlite":
            return tx.execute(self._change, dict(zip(self._names, values, strict=True))).rowcount
        if self._text is None:
            self._text = _compile(self._change, self._names, tx.dialect)
        text, bound = _bind(self._text, values)
        raw: Any = tx.connection.driver_connection
        try:
            done: int = raw.execute(text, bound).rowcount
        except sqlite3.Error as error:
            check_transaction(raw, error)
            return tx.exec_driver_sql(text, bound).rowcount  # fails again, in words
        return done


def _compile(
    statement: Select[Any] | Insert | Update | Delete, names: tuple[str, ...], dialect: Dialect
) -> _Text:
    """The text, and for each of its values a place in the caller's, or -1 and what it is."""
    compiled = statement.compile(dialect=dialect)
    fixed = compiled.construct_params(dict.fromkeys(names))
    order = tuple(getattr(compiled, "positiontup", None) or ())
    if order == names:
        return str(compiled), None
    known = {name: at for at, name in enumerate(names)}
    return str(compiled), [(known.get(name, -1), fixed[name]) for name in order]


def _bind(text: _Text, values: tuple[object, ...]) -> tuple[str, tuple[object, ...]]:
    """The text with its values in its own order."""
    statement, places = text
    if places is None:
        return statement, values
    return statement, tuple(fixed if at < 0 else values[at] for at, fixed in places)
