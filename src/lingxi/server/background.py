"""Small writes that no request waits for: when a key was used, how far a session slid, counters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from lingxi.errors import LingxiError
from lingxi.store import Store

Write = Callable[[Connection], None]


class BackgroundWrites:
    """One thread that writes in order. A write that fails is logged and lost: none of them
    decides anything by itself, and the next one says the same again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lingxi-writes")

    def submit(self, write: Write) -> None:
        """Write soon; returns at once."""
        self._thread.submit(self._write, write)

    def close(self) -> None:
        """Finish what was submitted."""
        self._thread.shutdown(wait=True)

    def _write(self, write: Write) -> None:
        try:
            with self._store.write() as tx:
                write(tx)
        except (LingxiError, SQLAlchemyError) as error:
            structlog.get_logger().warning("background_write_failed", error=type(error).__name__)
