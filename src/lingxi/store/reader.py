"""One connection that is kept for many short transactions that read."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from lingxi.store.engine import begin_read
from lingxi.store.prepared import Memory, forget, remember

_MOST_REMEMBERED = 20_000


class Reader:
    """Reads in short transactions of one connection; for one thread at a time.

    Taking a connection from the pool, beginning and ending a transaction costs several times what
    the queries of a request do. And as long as nobody changes the database, what ``Prepared`` was
    answered is remembered with the connection and not asked again. On PostgreSQL it is a
    transaction of the pool like any other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: tuple[Connection, Any, Memory] | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database from its first query to its end."""
        if self._engine.dialect.name != "sqlite":
            with begin_read(self._engine) as connection:
                yield connection
            return
        connection, raw, memory = self._held or self._open()
        raw.execute("BEGIN")
        (version,) = raw.execute("PRAGMA data_version").fetchone()  # the transaction starts here
        if version != memory.get(None) or len(memory) > _MOST_REMEMBERED:
            memory.clear()
            memory[None] = version
        try:
            yield connection
        finally:
            try:
                raw.execute("ROLLBACK")  # nothing was written
            except sqlite3.Error:
                self.close()

    def close(self) -> None:
        """Let go of the connection; the next transaction opens another."""
        held, self._held = self._held, None
        if held is not None:
            forget(held[0])
            held[0].invalidate()
            held[0].close()

    def _open(self) -> tuple[Connection, Any, Memory]:
        connection = self._engine.connect()
        connection.begin()  # for SQLAlchemy it stays open; what truly begins and ends is said above
        raw: Any = connection.connection.driver_connection
        raw.execute("ROLLBACK")
        raw.execute("PRAGMA query_only = ON")  # what it wrote itself it would not notice
        self._held = connection, raw, remember(connection, raw)
        return self._held
