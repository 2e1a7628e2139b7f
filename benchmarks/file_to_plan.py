"""From a shop's order file to its marketing plan, through the public command line.

    python benchmarks/file_to_plan.py [FILE] [--runs N]

Prints for every command wall seconds, processor seconds (what a busy machine leaves alone) and peak
memory, for every step its share, and names the step that costs most. Bounds: 60 s and 2 GB on 2
cores for the 541,909 lines of Online Retail.

Floor: the same file only decoded (Parquet to Arrow) and its orders only inserted (SQLite, one row
an order, 1,000 rows a durable commit). What lies between the floor and the figure is cleaning,
learning and deciding.
"""

import argparse
import os
import platform
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SECONDS, MEGABYTES = 60.0, 2048.0
_STEP = re.compile(r"^(?P<title>.+?): .* \((?P<seconds>[0-9.]+) s\)$", re.MULTILINE)


class Cost(NamedTuple):
    """What a command took; ``steps`` is wall seconds by step."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    steps: dict[str, float]


def run(*args: str) -> Cost:
    """What one command takes, with byte-code kept as on any machine of a shop."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lingxi.cli", *args],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environ,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        log.seek(0)
        text = log.read()
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"lingxi {' '.join(args)} failed:\n{text}")
    steps = {m["title"]: float(m["seconds"]) for m in _STEP.finditer(text)}
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, steps)


def measure_floor(path: Path, folder: Path) -> float:
    """Seconds to decode the file and to insert one row an order durably."""
    started = time.perf_counter()
    table = pq.read_table(path)
    orders = table.column("InvoiceNo").unique().to_pylist()
    connection = sqlite3.connect(folder / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE event (id TEXT PRIMARY KEY, body BLOB)")
    body = b"x" * (table.nbytes // max(len(orders), 1))
    for start in range(0, len(orders), 1000):
        connection.execute("BEGIN")
        rows = [(order, body) for order in orders[start : start + 1000]]
        connection.executemany("INSERT INTO event VALUES (?, ?)", rows)
        connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - started


def measure_once(path: Path) -> Cost:
    """One run of the whole road."""
    with tempfile.TemporaryDirectory() as folder:
        shop = str(Path(folder) / "shop")
        commands = (
            ("init", shop, "--currency", "GBP", "--timezone", "Europe/London"),
            ("import", "orders", str(path), "--shop", shop),
            ("train", "--shop", shop),
            ("plan", "--shop", shop),
        )
        costs = []
        for command in commands:
            cost = run(*command)
            costs.append(cost)
            print(
                f"  lingxi {command[0]:<8} {cost.seconds:6.1f} s {cost.cpu_seconds:6.1f} cpu s "
                f"{cost.peak_mb:6.0f} MB",
                flush=True,
            )
    return Cost(
        sum(cost.seconds for cost in costs),
        sum(cost.cpu_seconds for cost in costs),
        max(cost.peak_mb for cost in costs),
        {title: seconds for cost in costs for title, seconds in cost.steps.items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = DATA / "online_retail" / "online_retail.parquet"
    parser.add_argument("file", nargs="?", type=Path, default=default)
    parser.add_argument("--runs", type=int, default=1)
    args = parser.parse_args()
    if not args.file.is_file():
        print(f"skipped: {args.file} is absent")
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"{args.file.name}, {platform.machine()}, {os.cpu_count()} cores, commit {commit}")
    with tempfile.TemporaryDirectory() as folder:
        print(f"floor: decode and insert only {measure_floor(args.file, Path(folder)):.1f} s")
    for cost in [measure_once(args.file) for _ in range(args.runs)]:
        steps = cost.steps
        for title, seconds in sorted(steps.items(), key=lambda pair: -pair[1]):
            print(f"    {seconds:6.1f} s  {title}")
        most = max(steps, key=lambda title: steps[title])
        verdict = "within" if cost.seconds <= SECONDS and cost.peak_mb <= MEGABYTES else "OVER"
        print(
            f"total {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} cpu s, "
            f"peak {cost.peak_mb:.0f} MB: {verdict} {SECONDS:.0f} s and 2 GB"
        )
        print(f"costs most: {most}")


if __name__ == "__main__":
    main()
