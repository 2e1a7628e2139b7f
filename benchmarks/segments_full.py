"""How long it takes to find everybody in a segment: a million customers, twenty million events.

One usual segment of ten conditions, three of which count events; the rest are on stage, scores,
consent, a list and a random share. Measured are the whole of it, as a page or a job asks (the
session opened, identities read, conditions on the state, counts), and its parts. Beside it the
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
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.ingest.tables import consent
from lingxi.lifecycle.tables import customer_state
from lingxi.profiles.ledger import Ledger
from lingxi.profiles.tables import customer_profile
from lingxi.schema import EVENT_ROWS
from lingxi.segments import read_rule
from lingxi.segments.bulk import Crowd, evaluate
from lingxi.segments.lists import put_list
from lingxi.segments.tables import customer_list_entry
from lingxi.store.counters import put
from lingxi.store.keyed import upsert
from lingxi.store.lake import record_files
from lingxi.store.tables import identity, to_micros

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY_US = 86_400_000_000
PART = 1_000_000
STATE_PART = 50_000
NAMES = ("Product Viewed", "Product Added", "Products Searched", "Order Completed")
SHARES = (0.7, 0.15, 0.1, 0.05)
STAGES = ("new", "active", "loyal", "lapsing")
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
Ints = NDArray[np.int64]


def make_rows(rng: np.random.Generator, first: int, n: int, customers: int) -> pa.Table:
    """``n`` events of one line each from position ``first`` on, over half a year."""
    position = np.arange(first, first + n, dtype=np.int64)
    at = pa.array(to_micros(NOW) - rng.integers(0, 180 * DAY_US, n)).cast(EVENT_ROWS.field(4).type)
    names = pa.array(NAMES).take(pa.array(rng.choice(len(NAMES), n, p=SHARES)))
    texts = pc.cast(pa.array(position), pa.string())
    known = {
        "position": pa.array(position),
        "line": pa.array(np.zeros(n, np.int32)),
        "event_id": pc.binary_join_element_wise("e", texts, ""),
        "name": names,
        "occurred_at": at,
        "received_at": at,
        "subject": pa.array(rng.integers(1, customers + 1, n)),
        "item_id": pa.array([f"i{k}" for k in range(2_000)]).take(
            pa.array(rng.integers(0, 2_000, n))
        ),
        "source": pa.array(["web"]).take(pa.array(np.zeros(n, np.int64))),
        "properties": pa.array(["{}"]).take(pa.array(np.zeros(n, np.int64))),
    }
    columns = [known[f.name] if f.name in known else pa.nulls(n, f.type) for f in EVENT_ROWS]
    return pa.Table.from_arrays(columns, schema=EVENT_ROWS)


def fill_lake(shop: Shop, rng: np.random.Generator, customers: int, events: int) -> None:
    """The past as the lake keeps it, written by column."""
    lake = shop.store.lake
    for first in range(1, events + 1, PART):
        last = min(first + PART - 1, events)
        path = f"day=2026-02-28/{first:012d}-{last:012d}.parquet"
        file = lake.write_file(path, make_rows(rng, first, last - first + 1, customers))
        with shop.store.write() as tx:
            record_files(tx, [file])
    with shop.store.write() as tx:
        put(tx, "event", events)
        put(tx, "lake", events)


def fill_state(shop: Shop, rng: np.random.Generator, customers: int) -> None:
    """A row in every state table for every customer, or for a share of them."""
    profile = {c.name: None for c in customer_profile.columns}
    counts = dict.fromkeys(("events", "views", "carts", "searches"), 5)
    counts |= dict.fromkeys(("cancelled_orders", "refunds", "refund_cents"), 0)
    profile |= {**counts, "first_seen_at": NOW, "last_seen_at": NOW, "ledger": Ledger()}
    state = {c.name: None for c in customer_state.columns}
    state |= {"since": NOW, "reason": "{}", "horizon_days": 90, "as_of": NOW}
    word = {"purpose": "marketing", "channel": "email", "at": NOW, "source": "form"}
    with shop.store.write() as tx:
        put_list(tx, "staff", "Staff", NOW)
    for first in range(1, customers + 1, STATE_PART):
        who = range(first, min(first + STATE_PART, customers + 1))
        orders = rng.poisson(1.5, len(who)).tolist()
        stage = rng.integers(0, 4, len(who)).tolist()
        churn = rng.random(len(who)).tolist()
        rows = list(zip(who, orders, stage, churn, strict=True))
        with shop.store.write() as tx:
            upsert(tx, identity, [{"subject": c, "customer": c, "known": True} for c in who])
            sums = [
                {**profile, "customer": c, "orders": o, "revenue_cents": o * 4_000}
                for c, o, _, _ in rows
            ]
            upsert(tx, customer_profile, sums)
            stages = [
                {**state, "customer": c, "stage": STAGES[s], "churn_probability": p}
                for c, _, s, p in rows
            ]
            upsert(tx, customer_state, stages)
            said = [{**word, "customer": c, "granted": p < 0.7} for c, _, _, p in rows]
            upsert(tx, consent, said)
            staff = [{"list": "staff", "subject": c, "added_at": NOW} for c in who if c % 999 == 0]
            upsert(tx, customer_list_entry, staff)


def ask(shop: Shop) -> tuple[int, dict[str, float]]:
    """Everybody in the segment: how many, and the seconds of each part."""
    rule, marks = read_rule(RULE), [time.perf_counter()]
    with shop.store.analytics() as analytics:
        marks.append(time.perf_counter())
        crowd = Crowd(shop.store, shop.judge.scores, analytics, NOW)
        expression = evaluate(crowd, {"rule": rule})
        marks.append(time.perf_counter())
        found = analytics.to_arrow(expression.filter(expression["rule"]).select("customer"))
        marks.append(time.perf_counter())
    parts = np.diff(marks).tolist()
    names = ("open, identities", "conditions on the state", "counts and join")
    return found.num_rows, {"all": sum(parts), **dict(zip(names, parts, strict=True))}


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
    given = parser.parse_args()
    rng = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "shop"
        shop = init_shop(
            place, name="S", currency="GBP", timezone="UTC", language="en", clock=FixedClock(NOW)
        )
        start = time.perf_counter()
        fill_state(shop, rng, given.customers)
        fill_lake(shop, rng, given.customers, given.events)
        files = list(shop.store.lake.folder.glob("day=*/*.parquet"))
        print(f"data made in {time.perf_counter() - start:.0f} s")
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
        every = ", ".join(f"{r[1]['all']:.2f}" for r in results)
        print(f"  all runs: {every} s")
        print(f"floor, columns read and nothing done: {floor[0] - opened[0]:.2f} s")
        print(f"floor, their bytes copied once in memory: {copy_floor(given.events):.2f} s")
        cores = len(os.sched_getaffinity(0))
        print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}")
        shop.close()


def open_only(shop: Shop) -> None:
    """What comes before any question."""
    with shop.store.analytics():
        pass


if __name__ == "__main__":
    main()
