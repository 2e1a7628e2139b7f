"""The head of many rankings side by side, so that blends and factors are compared in an instant.

For each customer asked, the items that any model ranks among its first are kept with every model's
score. Combining and ranking these again takes milliseconds, where scoring all items takes seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench
from lingxi.recommend.evaluation import METRICS
from lingxi.recommend.lists import exclude, top_items
from lingxi.recommend.matrix import Csr, densify, row_lengths
from lingxi.recommend.scorer import Ranker, Vector

LENGTH = 200
"""Items kept of each model and customer."""
_CELLS = 20_000_000
_BARRED = 16
"""So many of the most popular items are barred for a customer, at most, in most cases."""
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """One model's first items of each customer: shape (n_customers, n), -1 where fewer.

    ``norm``: the mean of the highest score over customers, so that models are put on one scale.
    """

    items: NDArray[np.int64]
    scores: Scores
    norm: float


def take_head(ranker: Ranker, bench: Bench) -> Head:
    """What a fitted model ranks first for each customer asked, without what is excluded."""
    n = min(LENGTH, bench.taught.n_items)
    step = max(1, _CELLS // max(bench.taught.n_items, 1))
    items, values = [], []
    for start in range(0, bench.asked.n_rows, step):
        rows = np.arange(start, min(start + step, bench.asked.n_rows))
        scores = np.array(ranker.score(bench.asked.take(rows)))
        exclude(scores, bench.excluded[rows])
        lists = top_items(scores, n, above=0.0)
        found = np.take_along_axis(scores, np.maximum(lists, 0), axis=1)
        items.append(lists)
        values.append(np.where(lists >= 0, found, 0.0).astype(np.float32))
    best = np.concatenate(values)
    top = best.max(axis=1)
    return Head(np.concatenate(items), best, float(top[top > 0].mean()) if (top > 0).any() else 1.0)


@dataclass(frozen=True)
class Pool:
    """Several heads over one set of items a customer.

    ``items``: shape (n_customers, n_union), -1 where fewer; ``scores``: shape (n_heads,
    n_customers, n_union), 0 where a head lacks the item; ``hits``: which items were wanted;
    ``fill``: what comes after all that is scored above 0, the popular first.
    """

    items: NDArray[np.int64]
    scores: Scores
    hits: NDArray[np.bool_]
    fill: Scores
    wanted: NDArray[np.int64]
    metric: str

    @staticmethod
    def build(heads: Sequence[Head], bench: Bench, popularity: Vector) -> "Pool":
        """Put the heads side by side, with the most popular items for those who lack others."""
        n = int(bench.metric.rpartition("@")[2])
        place = np.empty(len(popularity), dtype=np.float32)
        order = np.argsort(-popularity, kind="stable")
        place[order] = np.arange(len(popularity), dtype=np.float32)
        popular = _take_popular(order, bench.excluded, n)
        items = _unite([head.items for head in heads] + [popular])
        scores = np.stack([_look_up(items, head) for head in heads])
        fill = np.where(items >= 0, -1.0 - place[np.maximum(items, 0)], -np.inf)
        return Pool(
            items,
            scores,
            find_cells(items, bench.wanted),
            fill.astype(np.float32),
            row_lengths(bench.wanted),
            bench.metric,
        )

    def take(self, rows: NDArray[np.int64]) -> "Pool":
        """The part of these customers."""
        return Pool(
            self.items[rows],
            self.scores[:, rows],
            self.hits[rows],
            self.fill[rows],
            self.wanted[rows],
            self.metric,
        )

    def combine(self, shares: Sequence[float]) -> Scores:
        """The sum of the heads' scores with these shares."""
        total: Scores = np.tensordot(np.asarray(shares, dtype=np.float32), self.scores, axes=1)
        return total

    def measure(self, scores: Scores, factor: Vector | None = None) -> NDArray[np.float64]:
        """The metric of each customer for these scores, times a factor of each item."""
        if factor is not None:
            scores = scores * factor.astype(np.float32)[np.maximum(self.items, 0)]
        name, _, at = self.metric.rpartition("@")
        n = min(int(at), scores.shape[1])
        ranked = np.where(scores > 0, scores, self.fill)
        first = np.argpartition(-ranked, n - 1, axis=1)[:, :n]
        found = np.take_along_axis(ranked, first, axis=1)
        first = np.take_along_axis(first, np.argsort(-found, axis=1, kind="stable"), axis=1)
        hits = np.take_along_axis(self.hits, first, axis=1)
        if n < int(at):
            hits = np.pad(hits, ((0, 0), (0, int(at) - n)))
        return METRICS[name](hits, self.wanted)


def _take_popular(order: NDArray[np.int64], excluded: Csr, n: int) -> NDArray[np.int64]:
    """The ``n`` most popular items that each customer may be shown."""
    answer = np.full((excluded.shape[0], n), -1, dtype=np.int64)
    rows, reach = np.arange(excluded.shape[0]), n + _BARRED
    while len(rows):
        first = order[:reach]
        barred = densify(excluded[rows][:, first]) != 0
        places = np.argsort(barred, axis=1, kind="stable")[:, :n]
        kept = ~np.take_along_axis(barred, places, axis=1)
        answer[rows, : places.shape[1]] = np.where(kept, first[places], -1)
        rows = rows[kept.sum(axis=1) < n] if reach < len(order) else rows[:0]
        reach *= 4
    return answer


def _unite(lists: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Different items of each row, rising, -1 behind."""
    joined = np.sort(np.concatenate(lists, axis=1), axis=1)[:, ::-1]
    again = np.zeros(joined.shape, dtype=np.bool_)
    again[:, 1:] = joined[:, 1:] == joined[:, :-1]
    joined = np.where(again, -1, joined)
    joined = -np.sort(-joined, axis=1)
    width = max(1, int((joined >= 0).sum(axis=1).max(initial=1)))
    return joined[:, :width]


def _look_up(items: NDArray[np.int64], head: Head) -> Scores:
    """The head's score of each item of each row, 0 where it has none, as a share of its norm."""
    n_items = int(max(items.max(initial=0), head.items.max(initial=0))) + 2
    rows = np.arange(len(items))[:, None] * n_items
    known = (rows + head.items)[head.items >= 0]
    values = head.scores[head.items >= 0]
    order = np.argsort(known)
    known, values = known[order], values[order]
    asked = rows + items
    places = np.minimum(np.searchsorted(known, asked), max(len(known) - 1, 0))
    if not len(known):
        return np.zeros(items.shape, dtype=np.float32)
    met = (known[places] == asked) & (items >= 0)
    return np.where(met, values[places] / head.norm, 0.0).astype(np.float32)


def find_cells(items: NDArray[np.int64], wanted: Csr) -> NDArray[np.bool_]:
    n_items = wanted.shape[1] + 1
    cells = np.repeat(np.arange(wanted.shape[0]), row_lengths(wanted)) * n_items + wanted.indices
    found = np.isin(np.arange(len(items))[:, None] * n_items + items, cells)
    return found & (items >= 0)
