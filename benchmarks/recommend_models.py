"""One answer and lists for everyone by every kind of model, among 100,000 made items.

    python benchmarks/recommend_models.py [--items 100000] [--events 100] [--before DIR] [NAME ...]

The shop, the rules and the histories are those of ``recommend_latency.py``. Models are made, not
fitted, where fitting so many items takes long: operators with lists of 100, tables of random
numbers as wide as the defaults say; neighbours are looked for among 20,000 customers of 100 events
each. Every answer is worked out anew: the history from SQLite in the caller's transaction, all
rules, ten items with reasons. ``--before``: the sources of another version (its folder ``src``),
asked in turn with this one, so that both meet the same machine. Processor time is that of the best
of some rounds, which leaves out most of what others do to the cache.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from learnt_latency import make_model
from lingxi.recommend import Recommender
from lingxi.recommend.baskets import Baskets
from lingxi.recommend.blend import Blend
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import DAY, ORDER, VIEW, Histories
from lingxi.recommend.learned import PER_ITEM, PER_PART, Learned
from lingxi.recommend.matrix import stack
from lingxi.recommend.model import Model
from lingxi.recommend.scorer import Scorer
from recommend_latency import LENGTH, N, fill_store, make_recommender, open_store
from recommend_quality import describe_machine

NEIGHBOURS, EVENTS = 20_000, 100


def make_histories(n_items: int, rng: np.random.Generator) -> Histories:
    """Customers among whom neighbours are looked for; some items are met by many."""
    count = NEIGHBOURS * EVENTS
    rows = np.repeat(np.arange(NEIGHBOURS), EVENTS)
    popular = np.minimum(rng.zipf(1.3, count) - 1, n_items - 1)
    items = np.where(rng.random(count) < 0.2, popular, rng.integers(0, n_items, count))
    return Histories.of_events(
        rows,
        items,
        (NEIGHBOURS, n_items),
        moments=rng.integers(0, 90 * 24, count) * (DAY // 24),
        kinds=rng.choice([VIEW, ORDER], count, p=[0.8, 0.2]),
    )


def make_operator(n_items: int, seed: int) -> Scorer:
    return make_recommender(n_items, np.random.default_rng(seed)).model.scorer


def make_table(n_items: int, size: int, rng: np.random.Generator) -> np.ndarray:
    table = rng.standard_normal((n_items, size), dtype=np.float32)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    return table


def make_factored(n_items: int, rng: np.random.Generator) -> Scorer:
    scorer = build_scorer(make_recipe("next_item"))
    scorer.left, scorer.right = (make_table(n_items, 256, rng) for _ in range(2))
    return scorer


def make_als(n_items: int, rng: np.random.Generator) -> Scorer:
    scorer = build_scorer(make_recipe("als"))
    scorer.items = make_table(n_items, scorer.factors, rng)
    scorer._empty = 1e-4
    scorer._gram = scorer._find_gram(scorer.items)
    return scorer


def make_neighbours(name: str, n_items: int, rng: np.random.Generator) -> Scorer:
    scorer = build_scorer(make_recipe(name))
    scorer.fit(make_histories(n_items, rng))
    return scorer


def make_graph(n_items: int, rng: np.random.Generator) -> Scorer:
    """A graph too large to multiply out: an operator and the factors of its other terms."""
    scorer, plain = build_scorer(make_recipe("graph")), make_operator(n_items, 7)
    scorer.operator = plain.operator
    scorer.left = make_table(n_items, 896, rng)
    scorer.right = np.ascontiguousarray(make_table(n_items, 896, rng).T)
    return scorer


def make_mixed(kind: str, n_items: int, rng: np.random.Generator) -> Scorer:
    """A blend, or a learnt one, of what follows what: two operators and a model of sessions."""
    parts = [make_operator(n_items, 3), make_operator(n_items, 4)]
    parts.append(make_neighbours("v_stan", n_items, rng))
    if kind == "blend":
        return Blend(kind, parts, (1.0, 0.6, 0.3))
    scorer = Learned(kind, parts, rng.random(PER_PART * len(parts) + PER_ITEM))
    scorer.met, scorer.trend = rng.random(n_items) * 50, rng.random(n_items) + 0.5
    return scorer


def make_blend(n_items: int, _rng: np.random.Generator) -> Scorer:
    return Blend("blend", [make_operator(n_items, at) for at in range(4)], (1.0, 0.6, 0.3, 0.2))


MODELS: dict[str, Callable[[int, np.random.Generator], Scorer]] = {
    "one operator": lambda n, _rng: make_operator(n, 1),
    "blend of 4 operators": make_blend,
    "learned of 4 operators": lambda n, _rng: make_model("learned", n, 4).model.scorer,
    "ranker of 4 operators": lambda n, _rng: make_model("ranker", n, 4).model.scorer,
    "next_basket": lambda n, rng: make_neighbours("next_basket", n, rng),
    "v_sknn": lambda n, rng: make_neighbours("v_sknn", n, rng),
    "v_stan": lambda n, rng: make_neighbours("v_stan", n, rng),
    "blend of 2 and v_stan": lambda n, rng: make_mixed("blend", n, rng),
    "learned of 2 and v_stan": lambda n, rng: make_mixed("learned", n, rng),
    "user_cosine": lambda n, rng: make_neighbours("user_cosine", n, rng),
    "repeat": lambda n, rng: make_neighbours("repeat", n, rng),
    "popularity": lambda n, rng: make_neighbours("popularity", n, rng),
    "als": make_als,
    "next_item": make_factored,
    "graph with factors": make_graph,
}
"""What ``auto`` chooses most often first."""


def serve(scorer: Scorer, n_items: int) -> Recommender:
    """A recommender of this model."""
    recipe = make_recipe("blend" if scorer.name == "blend" else "rp3beta")
    model = Model(recipe, scorer, np.ones(n_items))
    ids = tuple(f"item-{at:06d}" for at in range(n_items))
    baskets = Baskets(stack([], n_items), np.zeros(n_items, dtype=np.int64), 0)
    popularity = np.random.default_rng(1).random(n_items)
    return Recommender(model, model, ids, popularity, baskets, np.empty(0, dtype=np.int64))


class Shop:
    """A made shop with one model, in this process."""

    def __init__(self, name: str, chosen: argparse.Namespace) -> None:
        self.recommender = serve(MODELS[name](chosen.items, np.random.default_rng(5)), chosen.items)
        self.folder = tempfile.TemporaryDirectory()
        self.store = open_store(Path(self.folder.name))
        fill_store(self.store, self.recommender.item_ids, chosen.customers, chosen.events)
        self.customers = list(range(1, chosen.customers + 1))
        with self.store.read() as tx:
            self.recommender.goods.current(tx).fill_order()
        self.ask()
        self.recommender.recommend_all(self.store, self.customers, n=N)

    def ask(self) -> list[tuple[float, float]]:
        """Milliseconds of the wall and of processor time, of one answer to each customer."""
        found = []
        with self.store.read() as tx:
            for customer in self.customers:
                start, cpu = time.perf_counter(), time.thread_time()
                self.recommender.recommend(tx, customer, n=N)
                cpu, start = time.thread_time() - cpu, time.perf_counter() - start
                found.append((start * 1000, cpu * 1000))
        return found

    def list_all(self) -> float:
        """Customers a second of processor time."""
        spent = time.process_time()
        self.recommender.recommend_all(self.store, self.customers, n=N)
        return len(self.customers) / (time.process_time() - spent)


def work(name: str, chosen: argparse.Namespace) -> None:
    """A round for each line that comes in, told by a line."""
    shop = Shop(name, chosen)
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps([shop.ask(), shop.list_all()]), flush=True)


def ask_in_turn(name: str, chosen: argparse.Namespace) -> None:
    """Each version in a process of its own, a round of one after a round of the other."""
    own = str(Path(__file__).resolve().parent.parent / "src")
    sources = {"before": chosen.before, "after": own} if chosen.before else {"": own}
    workers, told = {}, {label: list[tuple[object, float]]() for label in sources}
    for label, source in sources.items():
        command = [sys.executable, __file__, "--work", "--items", str(chosen.items), name]
        command += ["--events", str(chosen.events), "--customers", str(chosen.customers)]
        environment = {**os.environ, "PYTHONPATH": source}
        workers[label] = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        workers[label].stdout.readline()
    for _ in range(chosen.rounds):
        for label, worker in workers.items():
            worker.stdin.write("go\n")
            worker.stdin.flush()
            told[label].append(tuple(json.loads(worker.stdout.readline())))
    for label, worker in workers.items():
        worker.stdin.close()
        worker.wait()
        report(f"{label:7}{name}", told[label])


def report(name: str, told: Sequence[tuple[object, float]]) -> None:
    """The wall of the best round; of processor time, the best of each customer's."""
    times = np.array([each for each, _ in told])
    p50, p99 = np.percentile(times[:, :, 0], [50, 99], axis=1).min(axis=1)
    own, most = np.percentile(times[:, :, 1].min(axis=0), [50, 99])
    print(
        f"{name:32} p50 {p50:7.3f} ms  p99 {p99:7.3f} ms  processor {own:7.3f} and {most:7.3f} ms  "
        f"lists for all {max(rate for _, rate in told):7,.0f} a second",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MODELS))
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--customers", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.work:
        work(chosen.names[0], chosen)
        return
    print(
        f"{describe_machine()}: {chosen.items:,} items, lists of {LENGTH}, histories of "
        f"{chosen.events} events, a second of processor time"
    )
    for name in chosen.names:
        ask_in_turn(name, chosen)


if __name__ == "__main__":
    main()
