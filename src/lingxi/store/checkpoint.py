"""SQLite's write-ahead log moved into the database beside the writer, not in its way."""

from contextlib import suppress
from threading import Event, Thread
from time import sleep

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from lingxi.errors import LingxiError
from lingxi.store.engine import open_again

_ROWS = 4_000
_TRIES = 5
_LONG = 16_000
"""Pages of the log, 32 MB, past which writers are asked to wait a moment."""
_ASKED, _RETRY_SECONDS = 300, 0.0003
_STOP_SECONDS = 10.0


class Checkpoints:
    """A thread that checkpoints after so many rows; it starts with the first of them.

    A commit that finds the write-ahead log long checkpoints by itself and makes its client wait for
    the disk, 30 ms and more. This thread is there first, and its copying releases the interpreter's
    lock. What is committed meanwhile it copies too, in ever shorter turns, and the last of it
    between two commits: once all of it is in the database, the next writer begins the log anew, and
    it never becomes long. One that fails is left to the next commit. PostgreSQL does all this by
    itself.

    Its connection is none of the engine's pool: a writer that found the one of before taken would
    go on with another, and each in turn would forget all the pages it holds, 32 MB, and read them
    again.
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
        own = open_again(self._engine)
        try:
            while True:
                self._wanted.wait()
                self._wanted.clear()
                if self._stopping:
                    return
                with suppress(SQLAlchemyError, LingxiError):
                    catch_up(own)
        finally:
            own.dispose()


def catch_up(engine: Engine, *, tries: int = _TRIES) -> bool:
    """Move what there is, and what is committed meanwhile for as long as that becomes less; whether
    in the end everything is in the database."""
    length = before = checkpoint(engine)[0]
    grown = 0
    for _ in range(tries):
        length, moved = checkpoint(engine)
        if length == before:
            return moved == length
        if grown and not 0 < length - before < grown:
            break  # a busy time: the log grows as fast as it is moved
        before, grown = length, length - before
    return length >= _LONG and finish(engine)


def finish(engine: Engine) -> bool:
    """Move the rest between two commits: writers wait for as long as one commit's pages take. False
    if none of them makes room, or somebody still reads an older state."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if raw is None:
            return False
        (patience,) = raw.execute("PRAGMA busy_timeout").fetchone()
        raw.execute("PRAGMA busy_timeout = 0")  # and no reader is waited for
        try:
            for _ in range(_ASKED):
                busy, length, moved = raw.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
                if not busy:
                    return bool(length == moved)
                sleep(_RETRY_SECONDS)
        finally:
            raw.execute(f"PRAGMA busy_timeout = {patience}")  # a pragma takes no bound parameter
    return False


def checkpoint(engine: Engine) -> tuple[int, int]:
    """Move what can be moved without waiting for anybody: how many pages the log held at its
    beginning, and how many of them are in the database now."""
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        if raw is None:
            return 0, 0
        _, length, moved = raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return length, moved
