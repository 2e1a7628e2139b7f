"""Made splits of the sizes of published ones, to see what ``auto`` does with them.

``python benchmarks/make_large_splits.py amazon FOLDER`` writes ``train.parquet`` and
``test.parquet`` (a fifth of each customer's items at random, no times), and ``train_t.parquet`` and
``test_t.parquet`` (the last fifth, with times). Items lie in up to 200 groups; customers in one to
five of them; a fifth of what they meet is popular everywhere, a quarter follows what came before.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
SHAPES = {  # customers, items, events of train and of test, the fewest of a customer
    "amazon": (52_643, 91_599, 2_380_730, 603_378, 10),
    "yelp": (31_668, 38_048, 1_237_259, 324_147, 10),
    "ml20m": (136_677, 20_108, 8_000_000, 2_000_000, 10),
    "shop300": (20_000, 300, 160_000, 40_000, 4),
}
_FOLLOWS, _ANYWHERE = 0.25, 0.42
_GROUPS, _PER_GROUP = 200, 20
_DAYS, _DAY, _START = 365, 86_400, 1.6e9


@dataclass(frozen=True)
class World:
    """The groups of items, how popular each item is in its own and everywhere, what follows it."""

    members: list[Whole]
    within: list[Real]
    everywhere: Real
    following: Whole
    sizes: Real

    @staticmethod
    def draw(n_items: int, rng: np.random.Generator) -> "World":
        """Groups at random, Zipf's popularity, one ring through each group."""
        n_groups = min(_GROUPS, max(n_items // _PER_GROUP, 5))
        group = rng.integers(0, n_groups, n_items)
        popularity = 1 / np.arange(1, n_items + 1) ** 0.8
        rng.shuffle(popularity)
        members = [np.flatnonzero(group == at) for at in range(n_groups)]
        within = [np.cumsum(popularity[own]) / popularity[own].sum() for own in members]
        following = np.arange(n_items)
        for own in members:
            ring = rng.permutation(own)
            following[ring] = np.roll(ring, -1)
        everywhere = np.cumsum(popularity) / popularity.sum()
        sizes = np.cumsum(rng.dirichlet(np.full(n_groups, 0.5)))
        return World(members, within, everywhere, following, sizes)

    def walk(self, n: int, rng: np.random.Generator) -> list[int]:
        """What one customer meets, in order: ``n`` different items, or nearly."""
        k = rng.integers(1, 6)
        own = np.searchsorted(self.sizes, rng.random(k)).clip(0, len(self.members) - 1)
        shares = np.cumsum(rng.dirichlet(np.ones(k)))
        seen, found = set[int](), list[int]()
        for _ in range(30):
            if len(found) >= n:
                break
            m = int((n - len(found)) * 1.6) + 8
            kinds, picks = rng.random(m), rng.random(m)
            which = np.searchsorted(shares, rng.random(m)).clip(0, k - 1)
            last = -1
            for kind, pick, group in zip(kinds, picks, own[which], strict=True):
                last, before = self._step(kind, pick, group, last), last
                if last < 0:
                    last = before
                elif last not in seen:
                    seen.add(last)
                    found.append(last)
                    if len(found) >= n:
                        break
        return found

    def _step(self, kind: float, pick: float, group: int, last: int) -> int:
        if kind < _FOLLOWS and last >= 0:
            return int(self.following[last])
        if kind < _ANYWHERE:
            return min(int(np.searchsorted(self.everywhere, pick)), len(self.everywhere) - 1)
        own = self.members[group]
        if not len(own):
            return -1
        return int(own[min(int(np.searchsorted(self.within[group], pick)), len(own) - 1)])


def make(name: str, rng: np.random.Generator) -> tuple[Whole, Whole, Real]:
    """Customers, items and days of all events, customer by customer."""
    n_customers, n_items, n_train, n_test, least = SHAPES[name]
    total = n_train + n_test
    activity = np.exp(rng.normal(0, 0.9, n_customers))
    activity = least + activity / activity.mean() * max(total / n_customers - least, 0)
    counts = np.minimum(activity, n_items * 0.4).astype(int)
    world = World.draw(n_items, rng)
    customers, items, days = [], [], []
    for customer in range(n_customers):
        found = world.walk(int(counts[customer]), rng)
        customers.append(np.full(len(found), customer))
        items.append(np.array(found, dtype=np.int64))
        start = rng.random() * 300
        days.append(np.sort(start + rng.random(len(found)) * (_DAYS - start)))
    return np.concatenate(customers), np.concatenate(items), np.concatenate(days)


def write(path: Path, customers: Whole, items: Whole, days: Real | None = None) -> None:
    """One file of events."""
    columns = {"customer_id": pa.array(customers), "item_id": pa.array(items)}
    if days is not None:
        columns["timestamp"] = pa.array((_START + days * _DAY).astype("int64"))
    pq.write_table(pa.table(columns), path)


def main() -> None:
    """Write the four files into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    told = parser.parse_args()
    customers, items, days = make(told.shape, np.random.default_rng(7))
    told.folder.mkdir(parents=True, exist_ok=True)
    _, _, n_train, n_test, _ = SHAPES[told.shape]
    later = np.random.default_rng(1).random(len(customers)) > n_train / (n_train + n_test)
    write(told.folder / "train.parquet", customers[~later], items[~later])
    write(told.folder / "test.parquet", customers[later], items[later])
    counts = np.bincount(customers)
    places = np.arange(len(customers)) - (np.cumsum(counts) - counts)[customers]
    later = places >= np.maximum(1, np.floor(counts[customers] * 0.8))
    write(told.folder / "train_t.parquet", customers[~later], items[~later], days[~later])
    write(told.folder / "test_t.parquet", customers[later], items[later], days[later])
    print(f"{told.shape}: {counts.size} customers, {len(customers)} events in {told.folder}")


if __name__ == "__main__":
    main()
