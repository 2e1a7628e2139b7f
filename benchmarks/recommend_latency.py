"""Latency of one recommendation in the process, and lists for all customers a second.

``python benchmarks/recommend_latency.py SHOP`` on a trained shop. Single requests: the customers
whose histories are nearest to 100 items, ten recommendations each, with rules and reasons; the
floor beside it is reading the same history from the database and doing nothing with it.
"""

import argparse
import os
import platform
import subprocess
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from lingxi.clock import SystemClock
from lingxi.config import load_settings
from lingxi.profiles import read_history
from lingxi.profiles.tables import item_history
from lingxi.recommend import Recommender
from lingxi.store import Store

CUSTOMERS = 300
HISTORY = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", type=Path)
    folder = parser.parse_args().shop
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, commit {commit}")
    store = Store.open(load_settings(folder), SystemClock())
    recommender = Recommender.load(store)
    customer, items = item_history.c.customer, sa.func.count()
    query = (
        sa.select(customer)
        .group_by(customer)
        .order_by(sa.func.abs(items - HISTORY))
        .limit(CUSTOMERS)
    )
    with store.read() as tx:
        chosen = tx.execute(query).scalars().all()
        everyone = tx.execute(sa.select(customer).distinct()).scalars().all()
        for name, ask in (
            ("floor: read the history", lambda c: read_history(tx, c, 2000)),
            ("recommend 10", lambda c: recommender.recommend(tx, c, n=10)),
        ):
            ask(chosen[0])
            times = []
            for each in chosen:
                start = time.perf_counter()
                ask(each)
                times.append((time.perf_counter() - start) * 1000)
            p50, p99 = np.percentile(times, [50, 99])
            print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms ({recommender.name})")
    start, cpu = time.perf_counter(), time.process_time()
    recommender.recommend_all(store, everyone, n=10)
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"all {len(everyone)} customers: {wall:.2f} s, {cpu:.2f} s of processor time,")
    print(
        f"  {len(everyone) / wall:,.0f} customers/s, {len(everyone) / cpu:,.0f} by processor time"
    )
    store.close()


if __name__ == "__main__":
    main()
