"""SQLite's write-ahead log moved into the database beside the writer, not in its way."""

from contextlib import suppress
from threading import Event, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from lingxi.errors import LingxiError

_ROWS = 2_000
_STOP_SECONDS = 10.0


class Checkpoints:
    """A thread that checkpoints after so many rows; it starts with the first of them.

    A commit that finds the write-ahead log long checkpoints by itself and makes its client wait for
    the disk. This thread is there first, and its copying releases the interpreter's lock. One that
    fails is left to the next commit. PostgreSQL does all this by itself.
    """

    def __init__(self, engine: Engine, *, rows: int = _ROWS) -> None:
        self._engine = engine
        self._rows = rows
        self._written = 0
        self._wanted = Event()
        self._stopping = False
        self._thread: Thread | None = None

    def note(self, rows: int) -> None:
        """Say that rows were committed; returns at once."""
        self._written += rows
        if self._written < self._rows or self._engine.dialect.name != "sqlite":
            return
        self._written = 0
        if self._thread is None:
            self._thread = Thread(target=self._run, name="lingxi-checkpoint", daemon=True)
            self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """Stop the thread."""
        self._stopping = True
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._stopping:
                return
            with suppress(SQLAlchemyError, LingxiError):
                checkpoint(self._engine)


def checkpoint(engine: Engine) -> None:
    """Move what can be moved without waiting for anybody."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
