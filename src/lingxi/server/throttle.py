"""The rate limit of keys and sessions: counted here, shared through the table of ``access``.

A request never waits for the store's write lock: this process counts in memory and adds what it
counted to the table once a second, reading back what all processes counted. One process is exact;
several together may let through what they count within one second of each other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import Connection

from lingxi.access.limits import Window, add_to_window, read_window, window_start
from lingxi.errors import RateLimited
from lingxi.server.background import BackgroundWrites

WINDOW = timedelta(minutes=1)
_SHARE_EVERY = timedelta(seconds=1)
_MOST_BUCKETS = 10_000


@dataclass
class _Count:
    """``known`` is what the table had when last read, ``own`` what it does not have yet."""

    start_at: datetime
    known: int
    shared_at: datetime
    own: int = 0


@dataclass
class Throttle:
    """Counts the requests of each bucket in fixed windows of a minute; 0 allows any number."""

    limit: int
    writes: BackgroundWrites
    _counts: dict[str, _Count] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, tx: Connection, bucket: str, now: datetime) -> None:
        """Count one request.

        Raises
        ------
        RateLimited
            When the bucket has had its requests of this minute.
        """
        if self.limit <= 0:
            return
        start_at = window_start(now, WINDOW)
        with self._lock:
            count = self._counts.get(bucket)
            if count is None or count.start_at != start_at:
                count = self._open(tx, bucket, now)
            if count.known + count.own >= self.limit:
                raise _refusal(self.limit, Window(bucket, start_at, start_at + WINDOW, 0), now)
            count.own += 1
            due = now - count.shared_at >= _SHARE_EVERY
            if due:
                count.shared_at = now
        if due:
            name = f"count:{bucket}:{start_at.isoformat()}"
            self.writes.submit(name, self._share(bucket, count, now))

    def _open(self, tx: Connection, bucket: str, now: datetime) -> _Count:
        if len(self._counts) >= _MOST_BUCKETS:
            self._counts.clear()
        window = read_window(tx, bucket, now, WINDOW)
        fresh = _Count(window.start_at, window.count, now - _SHARE_EVERY)
        self._counts[bucket] = fresh
        return fresh

    def _share(self, bucket: str, count: _Count, now: datetime) -> Callable[[Connection], None]:
        def write(tx: Connection) -> None:
            with self._lock:
                part = count.own
            total = add_to_window(tx, bucket, now, WINDOW, by=part).count
            with self._lock:
                count.own -= part
                count.known = total

        return write


def _refusal(limit: int, window: Window, now: datetime) -> RateLimited:
    seconds = window.retry_after_seconds(now)
    return RateLimited(
        f"More than {limit} requests in a minute. Try again in {seconds} seconds.",
        retry_after_seconds=seconds,
    )
