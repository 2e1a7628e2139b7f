"""The ceiling of the disk: decode a batch, insert its events into the log, commit. Nothing else."""

import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

_INSERT = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)"


_TREE = "CREATE UNIQUE INDEX bench_event_id ON event (event_id)"


def insert_all(place: Path, bodies: Sequence[bytes], commit: int, *, tree: bool) -> float:
    """Seconds to decode batches and insert them into the log of a shop that nobody else uses.

    The table and its indices are the shop's own, as are page size, cache and the flush of each
    commit; only dictionaries are decoded, and nothing is checked, identified or counted. With
    ``tree`` a unique index keeps each id once; without, a message sent again counts again.
    """
    connection = sqlite3.connect(place, isolation_level=None)
    for setting in ("synchronous = FULL", "cache_size = -32768", "wal_autocheckpoint = 16000"):
        connection.execute(f"PRAGMA {setting}")
    if tree:
        connection.execute(_TREE)
    (position,) = connection.execute("SELECT coalesce(max(position), 0) FROM event").fetchone()
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    rows: list[tuple[object, ...]] = []
    begin = time.perf_counter()
    for body in bodies:
        for each in decode(body)["batch"]:
            position += 1
            whose = int(each["anonymousId"][1:9])
            at = int(datetime.fromisoformat(each["timestamp"]).timestamp() * 1e6)
            name = each.get("event", "Page")
            event_id = "web:" + each["messageId"]
            rows.append((position, event_id, name, whose, at, at, encode(each)))
        if len(rows) >= commit:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
            rows = []
    seconds = time.perf_counter() - begin
    if tree:
        connection.execute("DROP INDEX bench_event_id")
    connection.close()
    return seconds
