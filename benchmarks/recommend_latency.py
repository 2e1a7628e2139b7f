"""One recommendation in the process, and lists for everyone, on a made shop of 100,000 items.

    python benchmarks/recommend_latency.py [--items 100000] [--events 100] [--customers 300]

Every single answer reads the history from SQLite in the caller's transaction, applies all rules to
the catalogue as it is, and lists ten items with reasons. It is measured three ways in one run: each
worked out anew (memory off, and every customer had an event since), remembered, and by the road
that looks at all items (score everything, fill up, cut, explain), as it was before.

Floor, from first principles: reading the same rows from SQLite and nothing else, plus the cells of
the operator that the history touches at the machine's measured speed of gathering them.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from lingxi import catalogue, profiles
from lingxi.catalogue.items import to_row
from lingxi.clock import FixedClock
from lingxi.config import ServerSettings, Settings
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.profiles import read_counts
from lingxi.profiles.read import CountColumns
from lingxi.recommend import Recommender
from lingxi.recommend.baskets import Baskets
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.lists import fill_up, top_items
from lingxi.recommend.matrix import build_csr, stack, transpose
from lingxi.recommend.model import Model
from lingxi.recommend.past import Past
from lingxi.schema import Event, Item, Line
from lingxi.store import Store
from lingxi.store.keyed import upsert
from recommend_quality import describe_machine

START = datetime(2026, 1, 1, tzinfo=UTC)
LENGTH = 100
N = 10


def open_store(folder: Path) -> Store:
    return Store.open(
        Settings(folder=folder, server=ServerSettings(recommendation_memory_mb=0)),
        FixedClock(START + timedelta(days=90)),
        projections=profiles.PROJECTIONS,
        tables=[profiles.metadata, catalogue.metadata, ingest_metadata],
    )


def make_recommender(n_items: int, rng: np.random.Generator) -> Recommender:
    """A model whose every item speaks for ``LENGTH`` others, popular ones more often."""
    columns = np.minimum(rng.zipf(1.3, (n_items, LENGTH * 2)) - 1, n_items - 1)
    mixed = rng.integers(0, n_items, columns.shape)
    columns = np.where(rng.random(columns.shape) < 0.2, columns, mixed)
    rows = [np.unique(row)[:LENGTH] for row in columns]
    indptr = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    indices = np.concatenate(rows)
    values = rng.random(len(indices), dtype=np.float32)
    recipe = make_recipe("rp3beta", {"history_half_life": 30.0})
    scorer = build_scorer(recipe)
    scorer.operator = build_csr(values, indices, indptr, (n_items, n_items))
    scorer.columns = transpose(scorer.operator)
    model = Model(recipe, scorer, np.ones(n_items))
    ids = tuple(f"item-{at:06d}" for at in range(n_items))
    baskets = Baskets(stack([], n_items), np.zeros(n_items, dtype=np.int64), 0)
    nobody = np.empty(0, dtype=np.int64)
    return Recommender(model, model, ids, rng.random(n_items), baskets, nobody)


def fill_store(store: Store, ids: Sequence[str], customers: int, events: int) -> None:
    rng = np.random.default_rng(2)
    with store.write() as tx:
        for start in range(0, len(ids), 5000):
            rows = [
                {
                    **to_row(Item(item_id=i, name=i, price_cents=500, stock=int(rng.integers(20)))),
                    "listed": True,
                    "updated_at": START,
                    "version": 1,
                    "revision": 1,
                }
                for i in ids[start : start + 5000]
            ]
            upsert(tx, catalogue.tables.item, rows)
    for customer in range(1, customers + 1):
        chosen = rng.choice(len(ids), events, replace=False)
        names = np.where(rng.random(events) < 0.2, "Order Completed", "Product Viewed")
        store.log.append(
            [
                make_event(f"{customer}-{at}", customer, ids[item], str(names[at]), at)
                for at, item in enumerate(chosen)
            ]
        )


def make_event(event_id: str, customer: int, item_id: str, name: str, minutes: int) -> Event:
    moment = START + timedelta(minutes=minutes)
    return Event(
        event_id=event_id,
        name=name,
        occurred_at=moment,
        received_at=moment,
        subject=customer,
        order_id=event_id if name == "Order Completed" else None,
        lines=(Line(item_id=item_id),),
    )


def recommend_by_all(recommender: Recommender, tx: sa.Connection, customer: int) -> object:
    """The road that looks at every item: what serving did before."""
    goods, model = recommender.goods.current(tx), recommender.model
    told = CountColumns.of(read_counts(tx, customer, 2000))
    past = Past.read(told, goods.index, goods.n_known)
    histories = past.to_histories(-1, goods.n_known)
    scores = np.array(model.score(histories))
    fill_up(scores, recommender.popularity)
    scores[0, ~goods.gate().open[: goods.n_known]] = -np.inf
    scores[0, past.items[past.counts[2] > 0]] = -np.inf
    lists = top_items(scores, N)
    return model.explain(histories, lists)


def measure(ask: Callable[[int], object], customers: Sequence[int]) -> tuple[float, float, float]:
    """p50 and p99 in milliseconds of the wall, and the mean of processor time."""
    for customer in customers[:5]:
        ask(customer)
    times, cpu = [], time.thread_time()
    for customer in customers:
        start = time.perf_counter()
        ask(customer)
        times.append((time.perf_counter() - start) * 1000)
    cpu = (time.thread_time() - cpu) / len(customers) * 1000
    p50, p99 = np.percentile(times, [50, 99])
    return float(p50), float(p99), cpu


def report(name: str, ask: Callable[[int], object], customers: Sequence[int]) -> float:
    p50, p99, cpu = measure(ask, customers)
    print(f"{name:46} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms   processor {cpu:7.3f} ms")
    return cpu


def find_floor(recommender: Recommender, events: int) -> float:
    """Milliseconds to gather and add the cells of one history, at the best of many tries."""
    operator = recommender.model.scorer.operator
    rows = np.random.default_rng(5).choice(operator.shape[0], events, replace=False)
    cells = np.concatenate([np.arange(operator.indptr[r], operator.indptr[r + 1]) for r in rows])
    best = np.inf
    for _ in range(200):
        start = time.perf_counter()
        operator.indices[cells].sum()
        operator.data[cells].sum()
        best = min(best, time.perf_counter() - start)
    return best * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--customers", type=int, default=300)
    chosen = parser.parse_args()
    print(
        f"{describe_machine()}: {chosen.items:,} items, lists of {LENGTH}, histories of "
        f"{chosen.events} events"
    )
    recommender = make_recommender(chosen.items, np.random.default_rng(1))
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder))
        fill_store(store, recommender.item_ids, chosen.customers, chosen.events)
        customers = range(1, chosen.customers + 1)
        with store.read() as tx:
            recommender.goods.current(tx).fill_order()
            read = report("floor 1: read the rows", lambda c: read_counts(tx, c, 2000), customers)
            gather = find_floor(recommender, chosen.events)
            print(f"{'floor 2: gather the cells':46} {gather:11.3f} ms")
            cold = report("recommend 10, worked out anew", ask(recommender, tx), customers)
            recommender.answers.most_bytes = 2**26
            measure(ask(recommender, tx), customers)
            report("recommend 10, remembered", ask(recommender, tx), customers)
            recommender.answers.most_bytes = 0
            old = report(
                "recommend 10, by all items",
                lambda c: recommend_by_all(recommender, tx, c),
                customers[:60],
            )
        print(
            f"worked out anew: {cold / (read + gather):.1f} x the floor, 1 / {old / cold:.0f} "
            "of the road by all items (processor time)"
        )
        wall, cpu = time.perf_counter(), time.process_time()
        recommender.recommend_all(store, list(customers), n=N)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(
            f"lists for all {chosen.customers}: {chosen.customers / wall:,.0f} customers/s, "
            f"{chosen.customers / cpu:,.0f} a second of processor time"
        )
        store.close()


def ask(recommender: Recommender, tx: sa.Connection) -> Callable[[int], object]:
    return lambda customer: recommender.recommend(tx, customer, n=N)


if __name__ == "__main__":
    main()
