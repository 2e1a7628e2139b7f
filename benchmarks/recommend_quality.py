"""Quality of the recommenders, each with its interval, beside popularity; seconds and memory.

``python benchmarks/recommend_quality.py SHOP`` trains on a shop with its orders in and prints what
the held-out last window says. ``python benchmarks/recommend_quality.py --gowalla FOLDER`` fits
RP3beta with the published hyper-parameters on the LightGCN split of Gowalla (``train.npz`` and
``test.npz``); published: Recall@20 .1829, NDCG@20 .1520 (Anelli et al. 2023).
"""

import argparse
import os
import platform
import resource
import subprocess
import time
from pathlib import Path

import numpy as np
from scipy import sparse

from lingxi.clock import SystemClock
from lingxi.config import load_settings
from lingxi.recommend import evaluate, train_recommenders
from lingxi.recommend.histories import Histories
from lingxi.recommend.operators import Rp3Beta
from lingxi.recommend.ratings import read_ratings
from lingxi.store import Store, silent

SHOWN = ("ndcg@10", "recall@10", "hit_rate@10", "coverage@10", "ndcg@10_over_popularity")


def describe_machine() -> str:
    """Machine, load and commit, in one line."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = os.getloadavg()[0]
    return f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, commit {commit}"


def measure_shop(folder: Path) -> None:
    """Train on the shop and print every candidate."""
    clock = SystemClock()
    settings = load_settings(folder)
    store = Store.open(settings, clock)
    wall, cpu = time.perf_counter(), time.process_time()
    manifest = train_recommenders(store, settings, clock, silent)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"train_recommenders: {wall:.1f} s, {cpu:.1f} s of processor time, {peak():.0f} MB peak")
    print(f"window {manifest.extra}, cut-offs {[str(c) for c in manifest.cutoffs]}")
    for each in manifest.candidates:
        found = {m.metric: m for m in each.measures}
        values = "  ".join(f"{name} {show(found[name])}" for name in SHOWN)
        print(f"{'*' if each.chosen else ' '} {each.name:13} {values}  fit {each.fit_seconds} s")
    store.close()


def show(measure: object) -> str:
    """A value with its interval."""
    value, low, high = (getattr(measure, name) for name in ("value", "low", "high"))
    return f"{value:.4f}" + (f" [{low:.4f}, {high:.4f}]" if low is not None else "")


def measure_gowalla(folder: Path) -> None:
    """RP3beta on the published split, with the lists whole and cut to 50."""
    train, test = (
        read_ratings(sparse.load_npz(folder / f"{part}.npz")) for part in ("train", "test")
    )
    for length in (50, 777):
        scorer = Rp3Beta("rp3beta", k=777, alpha=0.566, beta=0.001, length=length)
        start = time.perf_counter()
        scorer.fit(Histories.of_matrix(train))
        fit = time.perf_counter() - start
        found = evaluate(scorer, train, test, at=(20,)).summary(np.random.default_rng(7))
        line = "  ".join(f"{name} {show(found[name])}" for name in ("recall@20", "ndcg@20"))
        print(f"RP3beta, lists of {length}: {line}  fit {fit:.1f} s, {peak():.0f} MB peak")


def peak() -> float:
    """Peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", type=Path, nargs="?")
    parser.add_argument("--gowalla", type=Path)
    chosen = parser.parse_args()
    print(describe_machine())
    if chosen.shop:
        measure_shop(chosen.shop)
    if chosen.gowalla:
        measure_gowalla(chosen.gowalla)


if __name__ == "__main__":
    main()
