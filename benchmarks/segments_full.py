"""How long it takes to find everybody in a segment: a million customers, twenty million events.

One usual segment of ten conditions, three of which count events; the rest are on stage, scores,
consent, a list and a random share. Measured are the whole of it, as a page or a job asks (the
session opened, identities read, conditions on the state, counts), its parts, and the seconds of all
processors together; the first time in a process apart. Beside it the
floor: the columns that the counts need, read from the same files and nothing done with them, by
the same engine; and the same bytes copied once in memory.

Run: ``python benchmarks/segments_full.py [--customers 1000000] [--events 20000000] [--repeat 3]``
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.segments import read_rule
from lingxi.segments.bulk import Crowd, compile_rule
from segments_crowd import NOW, check_lake, fill_lake, fill_state, make_shop

NEEDED = ("subject", "name", "occurred_at", "line")
RULE = {
    "all": [
        {"did": "Product Viewed", "at_least": 3, "within_days": 90},
        {"did": "Product Added", "within_days": 60},
        {"did_not": "Order Completed", "within_days": 14},
        {"stage": ["active", "loyal"]},
        {"score": "orders", "at_least": 1},
        {"score": "revenue_cents", "at_least": 5_000},
        {"score": "churn_probability", "at_most": 0.8},
        {"consent": "marketing", "channel": "email"},
        {"not": {"list": "staff"}},
        {"random": "spring", "to": 0.9},
    ]
}


def ask(shop: Shop) -> tuple[int, dict[str, float]]:
    """Everybody in the segment: how many, and the seconds of each part."""
    rule, marks, cpu = read_rule(RULE), [time.perf_counter()], time.process_time()
    with shop.store.analytics() as analytics:
        marks.append(time.perf_counter())
        crowd = Crowd(shop.store, shop.judge.scores, analytics, NOW)
        expression = compile_rule(crowd, rule)
        marks.append(time.perf_counter())
        found = analytics.to_arrow(expression)
        marks.append(time.perf_counter())
    parts = np.diff(marks).tolist()
    names = ("open, identities", "conditions on the state", "counts and join")
    told = {"all": sum(parts), "processor": time.process_time() - cpu}
    return found.num_rows, told | dict(zip(names, parts, strict=True))


def read_floor(shop: Shop) -> None:
    """The columns that the counts need, read by the engine, and nothing done but an addition."""
    with shop.store.analytics() as analytics:
        rows = analytics.rows
        values = {name: rows[name].max() for name in NEEDED}
        analytics.to_arrow(rows.aggregate(**values))


def copy_floor(events: int) -> float:
    """Seconds to copy once the bytes of these columns: 8 + 8 + 4, and 16 of a text, an event."""
    array = np.ones(max(1, events * 36 // 8 // 8), np.int64)  # an eighth at a time
    array.copy()
    start = time.perf_counter()
    for _ in range(8):
        array.copy()
    return time.perf_counter() - start


def timed(do: Callable[[], object], repeat: int) -> list[float]:
    """Seconds of each run, sorted."""

    def runs() -> Iterator[float]:
        for _ in range(repeat):
            start = time.perf_counter()
            do()
            yield time.perf_counter() - start

    return sorted(runs())


def main() -> None:
    """Make the data, measure, print; the data goes with the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="hold the lake against the shop's own")
    parser.add_argument(
        "--folder", type=Path, help="keep the shop here, and take it if it is there"
    )
    given = parser.parse_args()
    if given.check:
        check_lake()
        print("the lake is what the shop itself writes")
    with tempfile.TemporaryDirectory() as folder:
        shop = open_shop(given.folder or Path(folder) / "shop", given.customers, given.events)
        files = list(shop.store.lake.folder.glob("day=*/*.parquet"))
        first = ask(shop)  # takes in Ibis and DuckDB, and reads files and database from the disk
        results = sorted((ask(shop) for _ in range(given.repeat)), key=lambda r: r[1]["all"])
        floor = timed(lambda: read_floor(shop), given.repeat)
        opened = timed(lambda: open_only(shop), given.repeat)
        found, parts = results[0]
        print(
            f"{given.customers:,} customers, {given.events:,} events in {len(files)} files; "
            f"10 conditions, 3 of which count: {found:,} found"
        )
        for name, seconds in parts.items():
            print(f"  {name}: {seconds:.2f} s")
        print(
            f"  first in the process: {first[1]['all']:.2f} s, "
            f"{first[1]['processor']:.2f} of processors"
        )
        every = ", ".join(f"{r[1]['all']:.2f}" for r in results)
        print(f"  all runs: {every} s")
        print(f"floor, columns read and nothing done: {floor[0] - opened[0]:.2f} s")
        print(f"floor, their bytes copied once in memory: {copy_floor(given.events):.2f} s")
        cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
        python = platform.python_version()
        print(f"{platform.machine()}, {cores} cores, load {load:.1f}, Python {python}")
        shop.close()


def open_shop(place: Path, customers: int, events: int) -> Shop:
    """The shop at ``place``; made if there is none."""
    done = place / "made"  # an interrupted run left less
    if done.exists():
        return Shop.open(place, clock=FixedClock(NOW))
    shop, rng, start = make_shop(place), np.random.default_rng(7), time.perf_counter()
    fill_state(shop, rng, customers)
    print(f"state made in {time.perf_counter() - start:.0f} s", flush=True)
    fill_lake(shop, rng, customers, events)
    done.touch()
    print(f"data made in {time.perf_counter() - start:.0f} s", flush=True)
    return shop


def open_only(shop: Shop) -> None:
    """What comes before any question."""
    with shop.store.analytics():
        pass


if __name__ == "__main__":
    main()
