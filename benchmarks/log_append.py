"""Events appended a second: the log alone and with two projections, beside a raw sqlite3 loop.

Run: ``python benchmarks/log_append.py [--events 100000] [--url postgresql://...]``
"""

import argparse
import hashlib
import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table
from sqlalchemy.schema import CreateSchema, DropSchema

from lingxi.clock import SystemClock
from lingxi.config import Settings, StoreSettings
from lingxi.schema import Event, Line
from lingxi.store import Projection, Store
from lingxi.store.engine import open_engine
from lingxi.store.tables import Moment

START = datetime(2026, 1, 1, tzinfo=UTC)
SCHEMA = "lingxi_benchmark"
metadata = MetaData()
profile = Table(
    "bench_profile",
    metadata,
    Column("customer", BigInteger, primary_key=True, autoincrement=False),
    Column("events", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
)
history = Table(
    "bench_history",
    metadata,
    Column("customer", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", String, primary_key=True),
    Column("views", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
)


class Profile:
    """One row a customer."""

    name = "bench_profile"
    table = profile

    def keys(self, _event: Event, customer: int) -> Iterable[tuple[int | str, ...]]:
        return [(customer,)]

    def update(
        self,
        row: Mapping[str, object] | None,
        event: Event,
        _customer: int,
        _key: tuple[int | str, ...],
    ) -> Mapping[str, object]:
        old = {"events": 0, "orders": 0} if row is None else row
        return {
            "events": int(str(old["events"])) + 1,
            "orders": int(str(old["orders"])) + (event.name == "Order Completed"),
            "last_seen_at": event.occurred_at,
        }


class History:
    """One row a customer and item."""

    name = "bench_history"
    table = history

    def keys(self, event: Event, customer: int) -> Iterable[tuple[int | str, ...]]:
        return [(customer, line.item_id) for line in event.lines]

    def update(
        self,
        row: Mapping[str, object] | None,
        event: Event,
        _customer: int,
        _key: tuple[int | str, ...],
    ) -> Mapping[str, object]:
        views = 0 if row is None else int(str(row["views"]))
        return {"views": views + 1, "last_at": event.occurred_at}


def make_events(n: int) -> list[bytes]:
    """Product views as JSON, ids like hashes, 20,000 customers, 2,000 items."""
    events = []
    for i in range(n):
        at = START + timedelta(seconds=i)
        event = Event(
            event_id=hashlib.sha256(str(i).encode()).hexdigest()[:32],
            name="Product Viewed",
            occurred_at=at,
            received_at=at,
            subject=(i * 7919) % 20_000 + 1,
            session_id=f"s{i // 8}",
            country="GB",
            lines=(Line(f"p{(i * 104_729) % 2_000}", 1, 999, 999),),
            source="benchmark",
        )
        events.append(msgspec.json.encode(event))
    return events


def run_store(
    raw: list[bytes], folder: Path, url: str, projections: tuple[Projection, ...]
) -> float:
    """Seconds to decode and append all events to a new store."""
    with own_schema(url) as address:
        settings = Settings(folder=folder, store=StoreSettings(url=address))
        store = Store.open(settings, SystemClock(), projections=projections, tables=[metadata])
        decode = msgspec.json.Decoder(Event).decode
        begin = time.perf_counter()
        for start in range(0, len(raw), 1_000):
            store.log.append([decode(part) for part in raw[start : start + 1_000]])
        seconds = time.perf_counter() - begin
        if store.log.count() != len(raw):
            raise RuntimeError("the store was not new")
        store.close()
    return seconds


@contextmanager
def own_schema(url: str) -> Iterator[str]:
    """The address of an empty schema of a PostgreSQL, dropped afterwards; nothing for SQLite."""
    if not url:
        yield ""
        return
    engine = open_engine(url, lock_timeout_seconds=30)
    with engine.begin() as connection:
        connection.execute(CreateSchema(SCHEMA))
    query = {"options": f"-csearch_path={SCHEMA}"}
    try:
        yield engine.url.update_query_dict(query).render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(DropSchema(SCHEMA, cascade=True))
        engine.dispose()


def run_floor(raw: list[bytes], folder: Path) -> float:
    """Seconds for a plain sqlite3 loop: decode, same table and indices, 1,000 rows a commit."""
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE event (position INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, "
        "name TEXT, subject INTEGER, occurred_at INTEGER, received_at INTEGER, payload BLOB)"
    )
    connection.execute("CREATE INDEX by_subject ON event (subject, occurred_at)")
    decode = msgspec.json.Decoder(Event).decode
    begin = time.perf_counter()
    position = 0
    for start in range(0, len(raw), 1_000):
        rows = []
        for part in raw[start : start + 1_000]:
            e = decode(part)
            position += 1
            at = int(e.occurred_at.timestamp() * 1e6)
            rows.append((position, e.event_id, e.name, e.subject, at, at, part))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - begin
    connection.close()
    return seconds


def main() -> None:
    """Print events a second for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--url", default="", help="a database other than SQLite in a new folder")
    parser.add_argument("--folder", default=None, help="where the files go; a temporary folder")
    options = parser.parse_args()
    raw = make_events(options.events)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"{options.events:,} events, {os.cpu_count()} cores, {platform.platform()}, {commit}")
    ways: list[tuple[str, Callable[[Path], float]]] = [
        ("floor: plain sqlite3 loop", lambda f: run_floor(raw, f)),
        ("log alone", lambda f: run_store(raw, f, options.url, ())),
        ("with two projections", lambda f: run_store(raw, f, options.url, (Profile(), History()))),
    ]
    for label, way in ways[1:] if options.url else ways:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            seconds = way(Path(folder))
        print(f"{label:28} {options.events / seconds:10,.0f} events/s {seconds:8.2f} s")


if __name__ == "__main__":
    main()
