"""Fixed-window counters in a table: for failed logins, and shared by the server's processes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from lingxi.access.tables import window_table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """One counter: ``count`` since ``start_at``; it begins anew at ``end_at``."""

    bucket: str
    start_at: datetime
    end_at: datetime
    count: int

    def retry_after_seconds(self, now: datetime) -> int:
        """Whole seconds until the window ends, at least one."""
        return max(1, ceil((self.end_at - now).total_seconds()))


def window_start(now: datetime, length: timedelta) -> datetime:
    """The beginning of the fixed window that holds ``now``.

    >>> window_start(datetime(2026, 1, 1, 10, 7, 42, tzinfo=UTC), timedelta(minutes=1)).isoformat()
    '2026-01-01T10:07:00+00:00'
    """
    return _EPOCH + (now - _EPOCH) // length * length


def read_window(tx: Connection, bucket: str, now: datetime, length: timedelta) -> Window:
    """The counter of ``bucket`` in the present window; zero where nothing was counted."""
    start_at = window_start(now, length)
    query = select(window_table.c.count).where(
        window_table.c.bucket == bucket, window_table.c.start_at == start_at
    )
    count = tx.execute(query).scalar_one_or_none()
    return Window(bucket, start_at, start_at + length, count or 0)


def add_to_window(
    tx: Connection, bucket: str, now: datetime, length: timedelta, *, by: int = 1
) -> Window:
    """Add ``by`` to the counter of the present window and return it as it is then."""
    start_at = window_start(now, length)
    end_at = start_at + length
    same = window_table.c.bucket == bucket
    grow = (
        update(window_table)
        .where(same, window_table.c.start_at == start_at)
        .values(count=window_table.c.count + by)
    )
    if tx.execute(grow).rowcount == 0:
        ended = same & (window_table.c.start_at < start_at)
        tx.execute(delete(window_table).where(ended | (window_table.c.expires_at <= now)))
        row = {"bucket": bucket, "start_at": start_at, "count": by, "expires_at": end_at}
        try:
            with tx.begin_nested():
                tx.execute(insert(window_table).values(row))
        except IntegrityError:  # another process opened the same window first
            tx.execute(grow)
    return read_window(tx, bucket, now, length)


def clear_window(tx: Connection, bucket: str) -> None:
    """Forget a counter, as after a login that succeeded."""
    tx.execute(delete(window_table).where(window_table.c.bucket == bucket))
