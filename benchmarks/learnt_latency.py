"""One answer of a learnt blend and of a ranker, and lists for everyone, among 100,000 made items.

    python benchmarks/learnt_latency.py [--items 100000] [--events 100] [--customers 200]

The shop, the rules and the histories are those of ``recommend_latency.py``; the parts are operators
with lists of 100, the trees 80 of 9 leaves over all signals, the catalogue describes each item by
eight terms. Each answer is worked out anew: the history from SQLite in the caller's transaction,
ten items with reasons, of the ranker by the exact Shapley values of its trees. Beside it, in the
same run, the same lists by the road of many histories, which scores all items.

Floor of the ranker: LightGBM alone, for as many candidates and for the values of ten of them, plus
the cells of the parts gathered and added.
"""

import argparse
import tempfile
import time
from pathlib import Path

import lightgbm
import numpy as np
from scipy import sparse

from lingxi.profiles.read import read_count_columns
from lingxi.recommend import Recommender
from lingxi.recommend.families import make_recipe
from lingxi.recommend.kernels import Rows, add_rows, gather_rows
from lingxi.recommend.learned import PER_ITEM, PER_PART, Learned
from lingxi.recommend.matrix import transpose
from lingxi.recommend.model import Model
from lingxi.recommend.past import Past
from lingxi.recommend.ranker import Ranked
from lingxi.recommend.signals import Signs, name_signals
from recommend_latency import LENGTH, N, fill_store, make_recommender, open_store, report
from recommend_quality import describe_machine

TREES, LEAVES, TERMS = 80, 9, 8


def make_trees(parts: int, rng: np.random.Generator) -> str:
    """Trees over all signals, grown on noise."""
    names = name_signals(parts)
    table = rng.random((20_000, len(names))) * 3
    wanted = table @ rng.random(len(names)) + rng.random(len(table))
    rows = lightgbm.Dataset(table, label=wanted, feature_name=list(names))
    settings = {"num_leaves": LEAVES, "verbosity": -1, "num_threads": 1, "seed": 1}
    return lightgbm.train(settings, rows, num_boost_round=TREES).model_to_string()


def make_signs(n_items: int, rng: np.random.Generator) -> Signs:
    """Facts of the items, and what the catalogue says of each."""
    terms = np.sort(rng.integers(0, 2**18 // TERMS, (n_items, TERMS))) + np.arange(TERMS) * (
        2**18 // TERMS
    )
    about = sparse.csr_array(
        (rng.random(n_items * TERMS), terms.reshape(-1), np.arange(n_items + 1) * TERMS),
        shape=(n_items, 2**18),
    )
    some = rng.random((6, n_items)) + 0.5
    return Signs(some[0] * 9, some[1], some[2], some[3] * 1e15, some[4] * 1e15, some[5], 0, about)


def make_model(kind: str, n_items: int, n_parts: int) -> Recommender:
    """A recommender whose model is a learnt blend or a ranker of operators."""
    plain = [make_recommender(n_items, np.random.default_rng(at)) for at in range(n_parts)]
    parts = [each.model.scorer for each in plain]
    rng = np.random.default_rng(9)
    weights = rng.random(PER_PART * n_parts + PER_ITEM)
    if kind == "ranker":
        made: Learned = Ranked(kind, parts, weights, make_trees(n_parts, rng))
        made.near.operator = parts[0].operator
        made.near.columns = transpose(parts[0].operator)
        made._signs = make_signs(n_items, rng)
    else:
        made = Learned(kind, parts, weights)
    made.met, made.trend = rng.random(n_items) * 50, rng.random(n_items) + 0.5
    model = Model(make_recipe(kind), made, np.ones(n_items))
    first = plain[0]
    nobody = np.empty(0, dtype=np.int64)
    return Recommender(
        model, first.visitor_model, first.item_ids, first.popularity, first.baskets, nobody
    )


def find_floor(recommender: Recommender, pasts: list[Past]) -> tuple[float, float]:
    """Milliseconds of processor time an answer: the parts' cells, and LightGBM alone."""
    scorer, n_items = recommender.model.scorer, len(recommender.item_ids)
    cells = trees = 0.0
    for past in pasts:
        history = past.to_histories(-1, n_items)
        items, weights = history.hear(scorer.parts[0].heard)
        sums, start = np.zeros(n_items), time.thread_time()
        for part in scorer.parts:
            add_rows(gather_rows(Rows.of(part.operator), items), weights, sums)
        cells += time.thread_time() - start
        if isinstance(scorer, Ranked):
            table = scorer._signal(history, scorer._weigh(history).asked)
            start = time.thread_time()
            scorer.trees.predict(table, raw_score=True, num_threads=1)
            scorer.trees.predict(table[:N], pred_contrib=True, num_threads=1)
            trees += time.thread_time() - start
    return cells / len(pasts) * 1000, trees / len(pasts) * 1000


def list_by_all(recommender: Recommender, past: Past) -> object:
    """The lists and reasons by scoring all items, as histories are scored many at a time."""
    one = past.to_histories(-1, len(recommender.item_ids))
    twice = one.take(np.array([0, 0]))
    lists = np.argsort(-recommender.model.score(twice), axis=1)[:, :N]
    return recommender.model.explain(twice, lists)


def measure(kind: str, chosen: argparse.Namespace) -> None:
    recommender = make_model(kind, chosen.items, chosen.parts)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        fill_store(store, recommender.item_ids, chosen.customers, chosen.events)
        customers = range(1, chosen.customers + 1)
        with store.read() as tx:
            goods = recommender.goods.current(tx)
            goods.fill_order()
            told = [read_count_columns(tx, customer, 2000) for customer in customers[:60]]
            pasts = [Past.read(each, goods.index, goods.n_known) for each in told]
            cells, trees = find_floor(recommender, pasts)
            name = f"{kind} of {chosen.parts}, worked out anew"
            cpu = report(name, lambda c: recommender.recommend(tx, c, n=N), customers)
        print(f"  floor: cells {cells:.3f} ms, LightGBM alone {trees:.3f} ms of processor time")
        start = time.thread_time()
        for past in pasts[:10]:
            list_by_all(recommender, past)
        old = (time.thread_time() - start) / 20 * 1000
        print(f"  by all items {old:.1f} ms each: {old / cpu:.1f} times as long")
        wall, spent = time.perf_counter(), time.process_time()
        recommender.recommend_all(store, list(customers), n=N)
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
        n = chosen.customers
        print(f"  lists for all: {n / wall:,.0f} customers/s, {n / spent:,.0f} of processor time")
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--parts", type=int, default=4)
    chosen = parser.parse_args()
    print(
        f"{describe_machine()}: {chosen.items:,} items, lists of {LENGTH}, histories of "
        f"{chosen.events} events"
    )
    for kind in ("learned", "ranker"):
        measure(kind, chosen)


if __name__ == "__main__":
    main()
