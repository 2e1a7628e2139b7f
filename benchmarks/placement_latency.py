"""One list of a placement on a made shop of 100,000 items, in the process, without the disk.

    python benchmarks/placement_latency.py [--items 100000] [--events 100] [--lists 300]

From the customer's rows to the list with a sentence for each item: strategy, filters, rules, goals,
caps, diversity, exploration. Processor time, so that a busy machine does not count; what is made
once for a catalogue (columns, likeness) and once a minute (rules over all items) is told apart.
"""

import argparse
import platform
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from lingxi.profiles.read import CountColumns
from lingxi.recommend.baskets import Baskets
from lingxi.recommend.families import build_scorer, make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.item_table import Totals, build_table
from lingxi.recommend.kept import Told
from lingxi.recommend.model import Model
from lingxi.recommend.placements.compiled import Compiler
from lingxi.recommend.placements.context import Context, Met
from lingxi.recommend.placements.defaults import DEFAULTS
from lingxi.recommend.placements.definition import Variant
from lingxi.recommend.placements.explain import explain_briefly
from lingxi.recommend.placements.file import read_definitions
from lingxi.recommend.placements.knowledge import Knowledge
from lingxi.recommend.placements.listing import make_list
from lingxi.recommend.quick import QuickModel
from lingxi.schema import Item
from lingxi.store.tables import to_micros

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "placements.toml"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def make_items(n: int, rng: np.random.Generator) -> list[Item]:
    """Items in 300 categories of 20 departments and of 500 brands."""
    prices = rng.integers(100, 9000, n).tolist()
    return [
        Item(
            item_id=f"i{at}",
            name=f"Item {at}",
            category=f"c{at % 300}",
            category_path=(f"d{at % 20}", f"c{at % 300}"),
            brand=f"b{at % 500}",
            price_cents=price,
            margin_cents=price // 3,
            stock=10,
        )
        for at, price in enumerate(prices)
    ]


def make_knowledge(n: int, rng: np.random.Generator) -> Knowledge:
    """A random walk fitted on 60,000 customers with ten items each, the popular ones more often."""
    items = make_items(n, rng)
    popularity = rng.random(n) ** 4
    table = build_table(
        [item.item_id for item in items],
        items,
        n_known=n,
        popularity=popularity,
        totals=Totals(popularity * 100, popularity * 10),
        stamp="1",
    )
    rows = np.repeat(np.arange(60_000), 10)
    bought = (n * rng.random(len(rows)) ** 2).astype(np.int64)
    recipe = make_recipe("rp3beta", {"k": 100})
    scorer = build_scorer(recipe)
    scorer.fit(Histories.of_events(rows, bought, (60_000, n)))
    model = Model(recipe, scorer, np.ones(n))
    quick = QuickModel.of(model)
    pairs = Baskets(csr_array((n, n), dtype=np.float32), np.ones(n, dtype=np.int64), 60_000)
    return Knowledge(table, model, model, popularity, pairs, {}, quick, quick)


def make_context(known: Knowledge, n: int, events: int, seed: int) -> Context:
    """A customer with a history of so many items."""
    rng = np.random.default_rng(seed)
    past = {
        f"i{int(n * share**2)}": Met(1, 0, at % 3 == 0, NOW - timedelta(days=at))
        for at, share in enumerate(rng.random(events).tolist())
    }
    rows = [(i, m.views, m.carts, int(m.orders), to_micros(m.last_at)) for i, m in past.items()]
    told = Told.read(CountColumns.of(rows), known.table.index, known.counted)
    return Context(now=NOW, customer=seed, past=past, told=told, unit=str(seed))


def measure(known: Knowledge, name: str, variant: Variant, args: argparse.Namespace) -> None:
    """Print what one variant costs."""
    compiler, spent = Compiler(), []
    contexts = [
        make_context(known, args.items, args.events, seed) for seed in range(args.lists + 1)
    ]
    start = time.process_time()
    compiler.get(variant, (), contexts[0], known.table)
    compiled = (time.process_time() - start) * 1e3
    for seed, context in enumerate(contexts):
        start = time.process_time()
        ready = compiler.get(variant, (), context, known.table)
        listed = make_list(known, variant, ready, context, np.random.default_rng(seed))
        explain_briefly(known, listed, 2)
        spent.append((time.process_time() - start) * 1e3)
    first, rest = spent[0], np.array(spent[1:])
    print(
        f"{name:18s} p50 {np.median(rest):6.2f} ms  p99 {np.quantile(rest, 0.99):6.2f} ms  "
        f"first list {first:7.1f} ms  rules over all items {compiled:7.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--lists", type=int, default=300)
    args = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"{platform.machine()}, {platform.python_version()}, commit {commit}, {args}")
    known = make_knowledge(args.items, np.random.default_rng(0))
    example = read_definitions(EXAMPLE.read_text(encoding="utf-8")).get("home")
    for name in ("home", "email", "category"):
        measure(known, name, DEFAULTS[name], args)
    measure(known, "home of the example", example, args)


if __name__ == "__main__":
    main()
