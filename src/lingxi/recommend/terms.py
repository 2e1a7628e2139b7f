"""Models that are a weighted sum of terms: the weights are tuned on a bench, nothing refitted."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench
from lingxi.recommend.histories import Histories
from lingxi.recommend.pool import Pool, Scores, take_head
from lingxi.recommend.scorer import Ranker, Vector

_FACTORS = (0.5, 0.8, 1.25, 2.0)
_STARTS = (-0.3, 0.3)
_BENDS = (-0.2, -0.1, 0.1, 0.2)
_ROUNDS = 4
_CELLS = 20_000_000


@runtime_checkable
class Termed(Ranker, Protocol):
    """A scorer whose score is the first term plus the others by their weights."""

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of all terms but the first."""

    @property
    def bend(self) -> float:
        """How far the first term keeps from the popular."""

    def set_weights(self, weights: tuple[float, ...], bend: float | None = None) -> None:
        """Other weights, and another bend."""

    def find_bent(self, bend: float) -> NDArray[np.float32]:
        """What each item's score by the first term is multiplied by where the bend is another."""

    def score_terms(
        self, histories: Histories, items: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        """Each term's scores of each row's own items, shape (n_rows, n), as that of ``items``; the
        first has weight 1."""


def tune_terms(scorer: Termed, bench: Bench, popularity: Vector) -> None:
    """Set the weights and the bend with the highest value on the bench, by moving one at a time.

    Each step multiplies a weight, takes the term out, puts one in that was out, or moves the bend,
    as long as the metric rises.
    """
    pool = Pool.build([take_head(scorer, bench)], bench, popularity)
    terms = _gather_terms(scorer, bench, pool)
    weights, bend, first = (1.0, *scorer.weights), scorer.bend, terms[0].copy()
    best = _measure(pool, terms, weights)
    for _ in range(_ROUNDS):
        before = best
        for at in range(1, len(weights)):
            options = [weights[at] * f for f in _FACTORS] if weights[at] else list(_STARTS)
            for option in (*options, 0.0):
                tried = (*weights[:at], option, *weights[at + 1 :])
                value = _measure(pool, terms, tried)
                if value > best:
                    best, weights = value, tried
        for option in [round(bend + move, 2) for move in _BENDS]:
            bent = first * scorer.find_bent(option)[np.maximum(pool.items, 0)]
            value = _measure(pool, np.concatenate([bent[None], terms[1:]]), weights)
            if value > best:
                best, bend = value, option
        terms[0] = first * scorer.find_bent(bend)[np.maximum(pool.items, 0)]
        if best <= before * 1.0005:
            break
    scorer.set_weights(tuple(round(weight, 4) for weight in weights[1:]), bend)


def _measure(pool: Pool, terms: Scores, weights: tuple[float, ...]) -> float:
    total = np.tensordot(np.asarray(weights, dtype=np.float32), terms, axes=1)
    return float(pool.measure(total).mean())


def _gather_terms(scorer: Termed, bench: Bench, pool: Pool) -> Scores:
    """Each term's scores of the pool's items, shape (n_terms, n_customers, n_union)."""
    step = max(1, _CELLS // max(bench.taught.n_items, 1))
    blocks = []
    for start in range(0, bench.asked.n_rows, step):
        rows = np.arange(start, min(start + step, bench.asked.n_rows))
        items = pool.items[rows]
        terms = np.stack(list(scorer.score_terms(bench.asked.take(rows), np.maximum(items, 0))))
        blocks.append(np.where(items >= 0, terms, 0.0).astype(np.float32))
    return np.concatenate(blocks, axis=1)
