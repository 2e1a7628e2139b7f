"""Queries whose text is made once, for what every request asks."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Select

MEMORY = "lingxi_memory"
"""Where a connection of ``Reader`` keeps the answers of the state that it sees."""
_FEW_ROWS = 4
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
        if tx.dialect.name != "sqlite":
            found = tx.execute(self._query, dict(zip(self._names, values, strict=True)))
            return [tuple(row) for row in found]
        if self._text is None:
            self._text = self._compile(tx.dialect)
        text, places = self._text
        memory: dict[object, Sequence[tuple[Any, ...]]] | None = (
            None if self._large else tx.info.get(MEMORY)
        )
        if memory is not None and (known := memory.get((self, values))) is not None:
            return known
        bound = values
        if places is not None:
            bound = tuple(fixed if at < 0 else values[at] for at, fixed in places)
        raw: Any = tx.connection.driver_connection
        try:
            rows: list[tuple[Any, ...]] = raw.execute(text, bound).fetchall()
        except sqlite3.Error:
            again = tx.exec_driver_sql(text, bound)  # fails again, in words that say what to do
            return [tuple(row) for row in again]
        if memory is not None and len(rows) <= _FEW_ROWS:
            memory[self, values] = rows
        return rows

    def first(self, tx: Connection, *values: object) -> tuple[Any, ...] | None:
        """The first row, or nothing."""
        rows = self.fetch(tx, *values)
        return rows[0] if rows else None

    def _compile(self, dialect: Dialect) -> _Text:
        """The text, and for each of its values a place in the caller's, or -1 and what it is."""
        compiled = self._query.compile(dialect=dialect)
        fixed = compiled.construct_params(dict.fromkeys(self._names))
        order = tuple(getattr(compiled, "positiontup", None) or ())
        if order == self._names:
            return str(compiled), None
        known = {name: at for at, name in enumerate(self._names)}
        return str(compiled), [(known.get(name, -1), fixed[name]) for name in order]
