"""Events a second that memberships follow, with 200 segments.

Customers with a history, then a stream of events; the keeper follows the log as ``lingxi work``
does, in the same process and with nothing beside it. Reported are wall and processor seconds of
following only: appending is measured by ``log_append.py``.

Two sets of rules. ``heavy``: half of them count events in windows, so that whoever comes back
enters a dozen segments at once and leaves them one by one; no shop keeps such, it is the worst
that 200 rules can do. ``usual``: what marketers keep, by kind: interest in groups of products,
what was bought and what not yet, tiers of value, stages, carts left behind, and a few windows of
activity for all. Both are asked of the same events.

Run: ``python benchmarks/segments_live.py [--customers 20000] [--history 20] [--events 40000]``
"""

import argparse
import gc
import os
import platform
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.ingest.identity import resolve_subjects
from lingxi.schema import Event, Line
from lingxi.segments import Segment, put_segment, read_rule
from lingxi.segments.live import Keeper
from lingxi.segments.tables import segment_member, segment_timer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHARES = (("Product Viewed", 0.7), ("Product Added", 0.15), ("Products Searched", 0.1))
ITEMS = [f"i{number}" for number in range(2_000)]


def make_heavy() -> Iterator[dict[str, object]]:
    """200 rules: half of them count in windows, the rest are on items, sums, scores, state."""
    windows = (1, 3, 7, 14, 30, 60, 90, 180)
    names = ("Product Viewed", "Product Added", "Order Completed", "Products Searched")
    for number in range(80):
        name, days = names[number % 4], windows[number // 4 % 8]
        yield {"did": name, "at_least": 1 + number % 5, "within_days": days}
    for number in range(20):
        days = windows[number % 8]
        quiet = {"did_not": "Order Completed", "within_days": days}
        yield {"all": [quiet, {"did": "Product Added", "within_days": days}]}
    for number in range(40):
        items = ITEMS[number * 5 : number * 5 + 5]
        yield {"viewed": {"items": items}, "within_days": windows[number % 8]}
    for number in range(20):
        sums = {"aggregate": "sum", "of": "amount_cents", "event": "Order Completed"}
        yield {**sums, "within_days": windows[number % 8], "at_least": 1_000 * (number + 1)}
    for number in range(20):
        yield {"did": f"Quiz {number}", "where": [{"property": "score", "at_least": 3}]}
    for number in range(10):
        yield {"score": "orders", "at_least": number + 1}
    for number in range(10):
        share = number / 10
        yield {"all": [{"random": "test", "from": share, "to": share + 0.1}, {"stage": ["loyal"]}]}


def make_usual() -> Iterator[dict[str, object]]:
    """200 rules as shops keep them; windows of activity are the sixth part."""
    order: dict[str, object] = {"did": "Order Completed"}
    for name in ("Product Viewed", "Product Added", "Order Completed"):
        for days in (30, 60, 90, 180):
            yield {"did": name, "within_days": days}
    for days in (30, 45, 60, 90, 120, 150, 180, 365):
        yield {"all": [order, {"did_not": "Order Completed", "within_days": days}]}
    for number in range(10):
        days = 1 + number
        left = {"did": "Product Added", "within_days": days}
        yield {"all": [left, {"did_not": "Order Completed", "within_days": days}]}
    for number in range(40):
        items = ITEMS[number * 10 : number * 10 + 10]
        yield {"viewed": {"items": items}, "at_least": 2, "within_days": 30}
    for number in range(40):
        yield {"bought": {"items": ITEMS[number * 20 : number * 20 + 20]}, "within_days": 365}
    for number in range(20):
        one, other = (ITEMS[start : start + 20] for start in (number * 40, number * 40 + 20))
        yield {"all": [{"bought": {"items": one}}, {"not": {"bought": {"items": other}}}]}
    for number in range(20):
        low = number * 10_000
        yield {"score": "revenue_cents", "at_least": low, "less_than": low + 10_000}
    for number in range(20):
        risk = {"score": "churn_probability", "at_least": number / 20}
        yield {"all": [{"stage": ["loyal", "at_risk"]}, risk]}
    for number in range(20):
        share = {"random": "spring", "from": number / 20, "to": (number + 1) / 20}
        yield {"all": [{"consent": "marketing", "channel": "email"}, {"stage": ["loyal"]}, share]}
    for country in ("GB", "FR", "DE", "NL", "CN", "US", "ES", "IT", "PL", "SE"):
        yield {"score": "country", "equals": country}


RULES = {"heavy": make_heavy, "usual": make_usual}


def make_events(
    rng: random.Random, subjects: list[int], n: int, days: float, tag: str
) -> Iterator[Event]:
    """Events of visits: a customer does a few things in a row."""
    number = 0
    while number < n:
        subject = rng.choice(subjects)
        at = NOW - timedelta(days=rng.random() * days)
        for _ in range(min(rng.randint(1, 6), n - number)):
            dice, name = rng.random(), "Order Completed"
            for candidate, share in SHARES:
                if dice < share:
                    name = candidate
                    break
                dice -= share
            number += 1
            yield Event(
                event_id=f"{tag}{number}",
                name=name,
                occurred_at=at,
                received_at=NOW,
                subject=subject,
                order_id=f"{tag}{number}" if name == "Order Completed" else None,
                amount_cents=rng.randint(500, 9_000) if name == "Order Completed" else None,
                lines=(Line(rng.choice(ITEMS)),) if name != "Products Searched" else (),
            )


def prepare(
    folder: Path, customers: int, history: int, rng: random.Random, rules: str = "heavy"
) -> tuple[Shop, list[int]]:
    """A shop with customers, their past, and 200 segments that are current."""
    clock = FixedClock(NOW)
    shop = init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en", clock=clock)
    ids = [f"c{number}" for number in range(customers)]
    found = resolve_subjects(shop.store, "user_id", ids, known=True)
    subjects = list(found.values())
    shop.store.log.append(list(make_events(rng, subjects, customers * history, 180.0, "h")))
    with shop.store.write() as tx:
        for number, rule in enumerate(RULES[rules]()):
            put_segment(tx, Segment(f"s{number}", f"s{number}", read_rule(rule)), NOW)
    return shop, subjects


def measure(rules: str, customers: int, history: int, n: int) -> None:
    """Follow ``n`` events with one set of rules, and print."""
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        shop, subjects = prepare(Path(folder) / "shop", customers, history, rng, rules)
        keeper = Keeper(shop.judge)
        start = time.perf_counter()
        keeper.run_all(NOW)
        seconds = time.perf_counter() - start
        print(f"{rules}: 200 segments asked of {customers:,} in {seconds:.1f} s", flush=True)
        shop.store.log.append(list(make_events(rng, subjects, n, 0.05, "n")))
        batches, wall, cpu = [], time.perf_counter(), time.process_time()
        while True:
            began = time.perf_counter()
            done = keeper.run_once(NOW)
            if not done:
                break
            batches.append(time.perf_counter() - began)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        with shop.store.read() as tx:
            members = tx.execute(sa.select(sa.func.count()).select_from(segment_member)).scalar()
            timers = tx.execute(sa.select(sa.func.count()).select_from(segment_timer)).scalar()
        told = len(shop.store.log.read(names={"Segment Entered", "Segment Left"}, limit=10**9))
        half = sorted(batches)[len(batches) // 2]
        print(
            f"{rules}: {n:,} events, 200 segments, {customers:,} customers of {history} events: "
            f"{n / wall:,.0f}/s wall, {n / cpu:,.0f}/s of a core; median batch "
            f"{half * 1000:.0f} ms; {told:,} entered or left, {members:,} memberships, "
            f"{timers:,} timers",
            flush=True,
        )
        shop.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--history", type=int, default=20)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--rules", choices=RULES, action="append")
    given = parser.parse_args()
    gc.set_threshold(100_000, 20, 20)  # as the command line does
    for rules in given.rules or RULES:
        measure(rules, given.customers, given.history, given.events)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {load}, "
        f"Python {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
