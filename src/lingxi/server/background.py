"""Small writes that no request waits for: when a key was used, how far a session slid, counters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from lingxi.errors import LingxiError
from lingxi.store import Store

Write = Callable[[Connection], None]
_MOST_WAITING = 1_000


class BackgroundWrites:
    """One thread that writes in order. A write that fails is logged and lost: none of them
    decides anything by itself, and the next one says the same again.

    So at most one of a name waits, and a thousand in all: where the database is locked or its disk
    full, requests that go on coming add nothing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lingxi-writes")
        self._waiting: set[str] = set()
        self._lock = Lock()

    def submit(self, name: str, write: Write) -> bool:
        """Write soon; returns at once. False: one of that name waits, or there is no room."""
        with self._lock:
            if name in self._waiting or len(self._waiting) >= _MOST_WAITING:
                return False
            self._waiting.add(name)
        self._thread.submit(self._write, name, write)
        return True

    def close(self) -> None:
        """Finish what was submitted."""
        self._thread.shutdown(wait=True)

    def _write(self, name: str, write: Write) -> None:
        with self._lock:
            self._waiting.discard(name)  # what is said from here on is not in this write any more
        try:
            with self._store.write() as tx:
                write(tx)
        except (LingxiError, SQLAlchemyError) as error:
            structlog.get_logger().warning("background_write_failed", error=type(error).__name__)
