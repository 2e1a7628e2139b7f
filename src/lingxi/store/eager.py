"""The collector's transactions on SQLite: many small ones, whose clients wait."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

from sqlalchemy import Connection, Engine

PATIENCE = "lingxi_patience_ms"
"""Option of a connection that does not wait for locks by itself: for how long its writer asks."""
_MOST_KEPT = 2


class Kept:
    """Connections of an engine that are kept for the next eager writer.

    Taking one from the pool, and telling SQLite twice how long to wait, costs as much as a small
    commit's statements. One on which anything failed goes back to the pool. ``options`` are the
    connections' own.
    """

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = dict(options)
        self._lock = Lock()
        self._idle: list[Connection] = []
        self._turn = 0

    @contextmanager
    def lend(self, engine: Engine) -> Iterator[Connection]:
        """A connection that asks for the write lock by itself; for one thread at a time."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
            turn = self._turn
        connection = connection or _open(engine, self._options)
        keep = False
        try:
            yield connection
            keep = True
        finally:
            with self._lock:
                closed = turn != self._turn
                keep = keep and not closed and len(self._idle) < _MOST_KEPT
                if keep:
                    self._idle.append(connection)
            if not keep:
                _give_back(connection, for_good=closed)

    def close(self) -> None:
        """Close those that nobody uses now; the others once they are given back."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._turn += 1
        for connection in idle:
            _give_back(connection, for_good=True)


def _open(engine: Engine, options: Mapping[str, object]) -> Connection:
    connection = engine.connect()
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    ((patience,),) = raw.execute("PRAGMA busy_timeout").fetchall()
    raw.execute("PRAGMA busy_timeout = 0")
    return connection.execution_options(**options, **{PATIENCE: patience})


def _give_back(connection: Connection, *, for_good: bool) -> None:
    """Let it wait for locks again, as those of the pool do, or close it."""
    if not for_good and not connection.invalidated:
        raw = connection.connection.driver_connection
        patience = connection.get_execution_options()[PATIENCE]
        try:
            assert isinstance(raw, sqlite3.Connection)
            raw.execute(f"PRAGMA busy_timeout = {patience}")  # a pragma takes no bound parameter
        except sqlite3.Error:
            for_good = True
    if for_good:
        connection.invalidate()
    connection.close()


def is_eager(connection: Connection) -> bool:
    """Whether it is a transaction of the collector on SQLite: short, one after the other, and while
    it lasts nobody else changes anything."""
    return PATIENCE in connection.get_execution_options()
