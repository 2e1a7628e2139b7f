"""Several read transactions of one moment, so that many queries are answered side by side."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from lingxi.store.engine import begin_read

_TRIES = 5
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Abreast:
    """Transactions that all see one state of the database; each is used by one thread at a time."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._connections = tuple(connections)

    @property
    def first(self) -> Connection:
        """The transaction for what is asked one after the other; not while ``ask`` runs."""
        return self._connections[0]

    def ask(self, do: Callable[[Connection, Item], Answer], items: Sequence[Item]) -> list[Answer]:
        """``do`` for each item, as many at once as there are transactions; answers in order."""
        if len(self._connections) == 1 or len(items) < 2:
            return [do(self.first, item) for item in items]
        free: SimpleQueue[Connection] = SimpleQueue()
        for connection in self._connections:
            free.put(connection)

        def run(item: Item) -> Answer:
            connection = free.get()
            try:
                return do(connection, item)
            finally:
                free.put(connection)

        with ThreadPoolExecutor(len(self._connections)) as pool:
            return list(pool.map(run, items))


@contextmanager
def read_abreast(engine: Engine) -> Iterator[Abreast]:
    """Two read transactions of one moment, where there are two cores and the engine allows it;
    else one.

    SQLite tells a connection whether any other has committed since it last looked: where nobody
    has between the beginning of the first transaction and that of the last, they see the same. On
    PostgreSQL the server's own work is not this process's.
    """
    tries = _TRIES if engine.dialect.name == "sqlite" and len(os.sched_getaffinity(0)) > 1 else 0
    for _ in range(tries):
        with ExitStack() as stack:
            watcher = engine.raw_connection()
            stack.callback(watcher.close)
            before = _read_version(watcher.driver_connection)
            both = [_begin(stack, engine) for _ in range(2)]
            if _read_version(watcher.driver_connection) == before:
                yield Abreast(both)
                return
    with begin_read(engine) as connection:
        yield Abreast([connection])


def _begin(stack: ExitStack, engine: Engine) -> Connection:
    connection = stack.enter_context(begin_read(engine))
    _read_version(connection.connection.driver_connection)  # the transaction starts here
    return connection


def _read_version(raw: Any) -> int:
    version: int = raw.execute("PRAGMA data_version").fetchone()[0]
    return version
