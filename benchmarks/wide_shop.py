"""A shop with a wide catalogue by the whole road: files, import, training, answers, lists for all.

    python benchmarks/wide_shop.py --shop DIR [--items 100000] [--customers 8000] [--events 100]
                                   [--model rp3beta]

Everybody has four narrow categories that they mostly look at, popular items more often, so there is
something to learn; some items nobody ever meets. Without ``--model`` 'lingxi train'
chooses by itself; with it that model alone is fitted. An existing shop is measured as it is. DIR
can be given to ``serve_recommendations.py`` afterwards. Every answer is worked out anew.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from lingxi.app.shop import Shop, init_shop
from lingxi.recommend import Recommender
from lingxi.recommend.families import make_recipe
from lingxi.recommend.stored import read_described, write_models
from recommend_quality import describe_machine

START = datetime(2026, 1, 1, tzinfo=UTC)
_FULL, _NARROW, _DAYS = 200, 20, 180
"""Items of a narrow category, narrow ones of a wide one, days of the history."""
_NAMES = np.array(["Product Viewed"] * 80 + ["Product Added"] * 12 + ["Order Completed"] * 8)


def write_items(path: Path, categories: Sequence[int], rng: np.random.Generator) -> None:
    """The catalogue, all in stock."""
    prices = rng.integers(3, 90, len(categories))
    with path.open("w", encoding="utf-8") as file:
        file.write("item_id,name,category,price,stock\n")
        for at, (kind, price) in enumerate(zip(categories, prices, strict=True)):
            file.write(f"i{at},Item {at},Shelf {kind // _NARROW} > Board {kind},{price}.50,9\n")


def write_events(
    path: Path, categories: np.ndarray, customers: int, events: int, rng: np.random.Generator
) -> None:
    """What customers did, the oldest first."""
    order = rng.permutation(len(categories))
    members = [np.flatnonzero(categories == kind) for kind in np.unique(categories)]
    rows = list[tuple[int, str]]()
    for customer in range(customers):
        own = rng.choice(len(members), 4)
        moments = rng.integers(0, _DAYS * 86_400, events)
        names = rng.choice(_NAMES, events)
        for at, (moment, name) in enumerate(zip(moments.tolist(), names.tolist(), strict=True)):
            shelf = members[own[int(rng.integers(4))]] if rng.random() < 0.75 else order
            item = shelf[int(len(shelf) * rng.random() ** 3)]
            when = (START + timedelta(seconds=moment)).isoformat()
            bought = f"o{customer}-{at}" if name == "Order Completed" else ""
            rows.append((moment, f"{customer}-{at},{name},c{customer},{when},i{item},{bought},1"))
    with path.open("w", encoding="utf-8") as file:
        file.write("message_id,event,user_id,timestamp,product_id,order_id,quantity\n")
        file.writelines(f"{line}\n" for _, line in sorted(rows))


def run(*arguments: str) -> None:
    """A command of ``lingxi``, and how long it took."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lingxi.cli", *arguments], check=True)
    print(f"lingxi {' '.join(arguments[:2])}: {time.perf_counter() - start:.1f} s", flush=True)


def make_shop(folder: Path, options: argparse.Namespace) -> None:
    """The shop with its files imported and its recommender trained."""
    rng = np.random.default_rng(7)
    init_shop(folder, name="Wide", currency="GBP", timezone="UTC", language="en").close()
    categories = np.arange(options.items) // _FULL
    items, events = folder / "items.csv", folder / "events.csv"
    write_items(items, categories.tolist(), rng)
    write_events(events, categories, options.customers, options.events, rng)
    run("import", "items", str(items), "--shop", str(folder))
    run("import", "events", str(events), "--shop", str(folder))
    if not options.model:
        run("train", "--shop", str(folder))
        return
    shop, recipe = Shop.open(folder), make_recipe(options.model)
    interactions, descriptions = read_described(shop.store)
    with shop.store.artefacts.write("recommender") as writer:
        write_models(writer, interactions, (recipe, recipe), descriptions)
    shop.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--customers", type=int, default=8_000)
    parser.add_argument("--events", type=int, default=100)
    parser.add_argument("--model", default="")
    options = parser.parse_args()
    print(describe_machine())
    if not (options.shop / "lingxi.toml").exists():
        make_shop(options.shop, options)
    shop = Shop.open(options.shop)
    begin = time.perf_counter()
    recommender = Recommender.load(shop.store)
    with shop.store.read() as tx:
        goods = recommender.goods.current(tx)
        goods.fill_order()
        recommender.find_stand_ins(tx, goods)
        print(f"{recommender.name}, ready in {time.perf_counter() - begin:.2f} s")
        recommender.answers.most_bytes = 0
        times = []
        for customer in range(1, 401):
            start = time.perf_counter()
            recommender.recommend(tx, customer)
            times.append((time.perf_counter() - start) * 1000)
    p50, p99 = np.percentile(times[100:], [50, 99])
    print(f"one answer, worked out anew: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
    everyone = list(range(1, min(options.customers, 2_000) + 1))
    start = time.perf_counter()
    recommender.recommend_all(shop.store, everyone)
    print(f"lists for everyone: {len(everyone) / (time.perf_counter() - start):,.0f} customers/s")
    shop.close()


if __name__ == "__main__":
    main()
