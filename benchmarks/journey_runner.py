"""Step transitions a second of the journeys' runner, beside the floor of its writes.

Run: ``python benchmarks/journey_runner.py [--runs 20000] [--workers 2] [--sleeping 1000000]
[--events 5000]``

Every run passes ``wait, message, wait, end``: a wake-up queues a message with its event of the log,
goes on to the next wait, and is one transaction with up to 99 others. A transition is a step that a
run has passed. ``--events`` writes so many events a second beside it, a thousand a commit, as the
collector does. The floor is a bare sqlite3 loop that writes the same rows, 100 a commit, with
synchronous=FULL; it asks nothing.
"""

import argparse
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from lingxi.app.runs.hands import make_hands
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.journeys import Runner
from lingxi.journeys.reading import read_journey
from lingxi.journeys.run import LANES
from lingxi.journeys.tables import run as runs
from lingxi.journeys.tables import step_count
from lingxi.journeys.versions import publish
from lingxi.messaging.tables import message
from lingxi.schema import Event
from lingxi.store.keyed import execute_many
from lingxi.store.tables import event as log
from lingxi.store.tables import to_micros

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
DUE = START + timedelta(hours=1)
STEPS = {
    "wait": {"kind": "wait", "duration": "1h", "next": "mail"},
    "mail": {"kind": "message", "template": "a", "next": "again"},
    "again": {"kind": "wait", "duration": "1h", "next": "end"},
    "end": {"kind": "end"},
}
_PART = 5_000
_FAR = 100_000_000
_LOOKS = 300
Writes = tuple[str, list[tuple[object, ...]]]


def make_runs(folder: Path, n: int, sleeping: int) -> None:
    """A shop with ``n`` runs that are due at ``DUE``, and more that sleep for a year."""
    shop = init_shop(
        folder, name="B", currency="GBP", timezone="UTC", language="en", clock=FixedClock(START)
    )
    form = {"name": "bench", "trigger": {"kind": "api"}, "steps": STEPS, "start": "wait"}
    with shop.store.write() as tx:
        publish(tx, read_journey({**form, "holdout": 0}), actor="b", note="", now=START)
    year = to_micros(START + timedelta(days=365))
    for first in range(1, n + sleeping + 1, _PART):
        numbers = range(first, min(first + _PART, n + sleeping + 1))
        with shop.store.write() as tx:
            rows = [_to_row(i, to_micros(DUE) if i <= n else year) for i in numbers]
            execute_many(tx, sa.insert(runs), rows)
    shop.close()


def _to_row(number: int, due_at: int) -> dict[str, object]:
    at = to_micros(START)
    path = '[["wait","",1772452800000000,"journeys.did.waits",{"moment":"2026-03-02 13:00 UTC"}]]'
    row: dict[str, object] = {"id": number, "journey": "bench", "version": 1, "key": ""}
    row |= {"customer": number, "subject": number, "state": 1, "node": "wait", "epoch": 1}
    row |= {"lane": number % LANES, "due_at": due_at, "started_at": at, "entered_at": at}
    return {**row, "ended_at": None, "outcome": None, "context": "{}", "path": path}


def move(folder: Path, name: str, together: Barrier) -> None:
    """One worker, until nothing is due for a while; lanes are shared out before it begins."""
    shop = Shop.open(folder, clock=FixedClock(DUE), environ={})
    runner = Runner(shop.store, make_hands(shop), name)
    for look in range(4):
        runner.lanes.hold(DUE - timedelta(seconds=33 - 11 * look))
        together.wait()
    clock, idle, total, begun = DUE, 0, 0, time.process_time()
    while idle < 40:
        moved = runner.run_once(clock)
        total += moved
        idle = 0 if moved else idle + 1
        if not moved:
            clock += timedelta(seconds=11)  # leases are looked at, as they are every ten seconds
            time.sleep(0.02)
    used = time.process_time() - begun
    print(f"{name}: {total:,} runs woken in {used:.2f} processor seconds", flush=True)
    shop.close()


def collect(folder: Path, rate: int, stop: Signal) -> None:
    """Write events as the collector does; prints how long its commits took."""
    shop = Shop.open(folder, environ={})
    took, number, due = [], 0, time.perf_counter()
    while not stop.is_set():
        events = [_make_event(number + i) for i in range(min(1_000, rate))]
        number += len(events)
        begun = time.perf_counter()
        with shop.store.write(eager=True) as tx:
            shop.store.log.append(events, tx=tx)
        took.append(time.perf_counter() - begun)
        due += len(events) / rate
        time.sleep(max(0.0, due - time.perf_counter()))
    p50, p99 = np.percentile(took, [50, 99]) * 1000
    print(f"collector: {number:,} events beside it, a commit took p50 {p50:.1f}, p99 {p99:.1f} ms")
    shop.close()


def _make_event(number: int) -> Event:
    moment = DUE + timedelta(microseconds=number)
    return Event(
        event_id=f"b{number}",
        name="Product Viewed",
        occurred_at=moment,
        received_at=moment,
        subject=number % 50_000,
    )


def measure(folder: Path, workers: int, rate: int) -> tuple[int, float]:
    """Steps passed, and the seconds from the first to the last, the start of processes left out."""
    context = get_context("spawn")
    stop = context.Event()
    beside = [context.Process(target=collect, args=(folder, rate, stop))] if rate else []
    together = context.Barrier(workers)
    names = [f"w{i}" for i in range(workers)]
    moving = [context.Process(target=move, args=(folder, name, together)) for name in names]
    shop = Shop.open(folder, environ={})
    for process in (*beside, *moving):
        process.start()
    begun, last, seconds = 0.0, 0, 0.0
    while any(process.is_alive() for process in moving):
        with shop.store.read() as tx:
            passed = int(tx.execute(sa.select(sa.func.sum(step_count.c.n))).scalar() or 0)
        now = time.perf_counter()
        if passed and not begun:
            begun, first = now, passed
        if passed > last:
            last, seconds = passed, now - begun
        time.sleep(0.02)
    stop.set()
    for process in beside:
        process.join()
    shop.close()
    return last - first, seconds


def time_idle(folder: Path) -> float:
    """Processor seconds of a look that finds nothing due."""
    shop = Shop.open(folder, clock=FixedClock(DUE), environ={})
    runner = Runner(shop.store, make_hands(shop), "idle")
    moment = DUE + timedelta(minutes=30)  # the others' leases are over, their runs asleep again
    runner.run_once(moment)
    used = time.process_time()
    for _ in range(_LOOKS):
        if runner.run_once(moment):
            raise SystemExit("something was due")
    used = time.process_time() - used
    shop.close()
    return used / _LOOKS


def find_floor(folder: Path, n: int) -> tuple[float, float]:
    """Transitions a second, and a processor second, of a bare loop with the same writes: each
    wake-up (two transitions) updates its run, and inserts its message and its event of the log."""
    connection = sqlite3.connect(folder / "data" / "state.sqlite", isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    writes = [_copy_updates(connection, n), *(_copy_rows(connection, n, t) for t in (message, log))]
    begun, used = time.perf_counter(), time.process_time()
    for first in range(0, n, 100):
        connection.execute("BEGIN IMMEDIATE")
        for text, rows in writes:
            connection.executemany(text, rows[first : first + 100])
        connection.execute("COMMIT")
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    connection.close()
    return 2 * n / seconds, 2 * n / used


def _copy_updates(connection: sqlite3.Connection, n: int) -> Writes:
    """What each run's row became, to be written again."""
    kept = connection.execute("SELECT context, path, id FROM journey_run WHERE id <= ?", (n,))
    change = (
        "UPDATE journey_run SET epoch = epoch + 1, due_at = due_at + 1, context = ?, path = ? "
        "WHERE id = ?"
    )
    return change, kept.fetchall()


def _copy_rows(connection: sqlite3.Connection, n: int, table: sa.Table) -> Writes:
    """Rows like those that were inserted, under other keys."""
    dialect = sqlite.dialect()
    asked = str(sa.select(table).compile(dialect=dialect))
    insert = sqlite.insert(table).on_conflict_do_nothing()
    names = [column.name for column in table.columns]
    rows = [
        tuple(_rename(name, value) for name, value in zip(names, row, strict=True))
        for row in connection.execute(asked).fetchmany(n)
    ]
    return str(insert.compile(dialect=dialect, column_keys=names)), rows


def _rename(column: str, value: Any) -> Any:
    if column == "position":
        return value + _FAR
    return f"floor-{value}" if column in ("id", "event_id") else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sleeping", type=int, default=0)
    parser.add_argument("--events", type=int, default=0, help="events a second beside it")
    asked = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(" ".join(["python", *sys.argv]))
    print(f"commit {commit}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "shop"
        make_runs(folder, asked.runs, asked.sleeping)
        size = (folder / "data" / "state.sqlite").stat().st_size / 1e6
        passed, seconds = measure(folder, asked.workers, asked.events)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(f"{asked.runs:,} due, {asked.sleeping:,} asleep ({size:,.0f} MB on disk)")
        print(f"{passed:,} transitions in {seconds:.2f} s: {passed / seconds:,.0f} a second")
        print(f"processor seconds, starts included: {used.ru_utime + used.ru_stime:.1f}")
        print(f"a look that finds nothing due: {time_idle(folder) * 1e6:,.0f} processor us")
        wall, own = find_floor(folder, asked.runs)
        print(f"floor, the same rows from a bare loop: {wall:,.0f} a second, {own:,.0f} of one")


if __name__ == "__main__":
    main()
