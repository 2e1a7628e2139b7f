"""Millions of events in a shop's log before a benchmark: rows in the order of their ids."""

import sqlite3
import time

from lingxi.store import Store

_CUSTOMERS = 20_000
_START_MICROS = 1_750_000_000_000_000
_PAYLOAD = b'{"event_id":"","name":"Product Viewed"}'
_IDS = """
CREATE TEMP TABLE ids AS
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
SELECT 'web:' || lower(hex(randomblob(16))) AS id FROM n
"""
_ROWS = """
INSERT INTO event
SELECT row_number() OVER (ORDER BY id), id, 'Product Viewed', 1000000 + abs(random()) % ?,
       ? + 1000 * rowid, ? + 1000 * rowid, ?
FROM ids ORDER BY id
"""


def prefill(store: Store, n: int) -> float:
    """Seconds it took to put ``n`` events with random ids into an empty SQLite log.

    They go in by the order of their ids, which fills the unique index from left to right: at
    random it would take hours. The payloads are stubs; the work measured later is the index's.
    """
    begin = time.perf_counter()
    place = store.engine.url.database
    if place is None:
        raise ValueError("only a SQLite file can be prefilled")
    connection = sqlite3.connect(place, isolation_level=None)
    for setting in ("synchronous = OFF", "cache_size = -2000000", "wal_autocheckpoint = 100000"):
        connection.execute(f"PRAGMA {setting}")
    (index,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'event' AND sql NOT NULL"
    ).fetchone()
    connection.execute("DROP INDEX ix_event_subject_occurred_at")
    connection.execute(_IDS, (n,))
    connection.execute(_ROWS, (_CUSTOMERS, _START_MICROS, _START_MICROS, _PAYLOAD))
    connection.execute(index)
    connection.execute("INSERT INTO counter VALUES ('event', ?)", (n,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return time.perf_counter() - begin
