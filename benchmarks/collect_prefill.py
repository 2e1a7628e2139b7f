"""Millions of messages in a shop's log before a benchmark."""

import sqlite3
import time

from lingxi.store import Store
from lingxi.store.message_ids import message_ids

_CUSTOMERS = 20_000
_START_MICROS = 1_750_000_000_000_000
_CONSUMERS = ("coupons", "journeys", "journeys-items", "segments")
"""Who reads the log: they have read what lies in it, as in a shop that has been running."""
_PAYLOAD = b'{"event_id":"","name":"Product Viewed"}'
_ROWS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO event
SELECT i, 'web:' || lower(hex(randomblob(16))), 'Product Viewed', 1000000 + abs(random()) % ?,
       ? + 1000 * i, ? + 1000 * i, ?
FROM n
"""


def prefill(store: Store, n: int) -> float:
    """Seconds it took to put ``n`` messages with random ids into an empty SQLite log.

    The payloads are stubs; the work measured later is that of knowing the ids.
    """
    begin = time.perf_counter()
    place = store.engine.url.database
    if place is None:
        raise ValueError("only a SQLite file can be prefilled")
    connection = sqlite3.connect(place, isolation_level=None)
    for setting in ("synchronous = OFF", "cache_size = -2000000", "wal_autocheckpoint = 100000"):
        connection.execute(f"PRAGMA {setting}")
    (index,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'ix_event_subject_occurred_at'"
    ).fetchone()
    connection.execute("DROP INDEX ix_event_subject_occurred_at")
    connection.execute(_ROWS, (n, _CUSTOMERS, _START_MICROS, _START_MICROS, _PAYLOAD))
    connection.execute(index)
    connection.execute("INSERT INTO counter VALUES ('event', ?)", (n,))
    for consumer in _CONSUMERS:
        connection.execute("INSERT OR REPLACE INTO log_cursor VALUES (?, ?)", (consumer, n))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with store.write() as tx:
        message_ids(tx).close_runs(tx)
    return time.perf_counter() - begin
