"""How long all features of all customers take, as of several moments, and of one customer online.

``python benchmarks/features_as_of.py SHOP`` on a shop with its events in; prints the median and the
worst of the runs beside the floor: reading the same events once and counting them.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from lingxi.clock import SystemClock
from lingxi.config import load_settings
from lingxi.features import FEATURES, compute_features, online_features
from lingxi.store import Store

MOMENTS = 6


def measure(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def tell(what: str, seconds: list[float]) -> None:
    """One line: median and worst."""
    print(f"{what:<44} median {statistics.median(seconds):.3f} s, worst {max(seconds):.3f} s")


def main() -> None:
    """Measure one shop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", type=Path)
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    chosen = parser.parse_args()
    store = Store.open(load_settings(chosen.shop), SystemClock())
    with store.analytics(engine=chosen.engine) as analytics:
        events = analytics.events
        span = analytics.to_arrow(
            events.aggregate(
                rows=events.count(), first=events.occurred_at.min(), last=events.occurred_at.max()
            )
        ).to_pylist()[0]
        step: timedelta = (span["last"] - span["first"]) / MOMENTS
        moments = [span["last"] - step * n for n in range(MOMENTS)]
        floor = events.group_by("customer", "name").aggregate(cents=events.amount_cents.sum())
        table = compute_features(analytics, moments[0])
        print(
            f"{span['rows']:,} event rows, {table.num_rows:,} customers, {len(FEATURES)} features"
        )
        tell(
            "floor: one scan, one grouped sum",
            [measure(lambda: analytics.to_arrow(floor)) for _ in range(3)],
        )
        runs = [measure(lambda m=m: compute_features(analytics, m)) for m in moments]
        tell(f"all features, {MOMENTS} moments, one each", runs)
    people = table.column("customer").to_pylist()[:: max(1, table.num_rows // 50)]
    online_features(store, people[0], moments[0])
    runs = [measure(lambda c=c: online_features(store, c, moments[0])) for c in people]
    tell(f"online, {len(people)} customers, one each", runs)
    store.close()


if __name__ == "__main__":
    main()
