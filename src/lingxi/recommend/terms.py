"""Models that are a sum of terms: their weights are tuned on a bench, nothing is refitted."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench
from lingxi.recommend.histories import Histories
from lingxi.recommend.pool import Head, Pool, Scores, take_head
from lingxi.recommend.scorer import Ranker, Vector

_FACTORS = (0.5, 0.7, 0.85, 1.15, 1.4, 2.0)
_STARTS = (-0.2, 0.2)
_ROUNDS = 4
_CELLS = 20_000_000
_TUNED_BY = 2_000
_LOOKS = 3


@runtime_checkable
class Termed(Ranker, Protocol):
    """A scorer whose score is a sum of terms, each of which counts for what its weights say."""

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights that are tuned."""

    def set_weights(self, weights: tuple[float, ...]) -> None:
        """Other weights."""

    def spread(self, weights: tuple[float, ...]) -> tuple[float, ...]:
        """What each term counts for, one number a term."""

    def score_terms(
        self, histories: Histories, items: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        """Each term's scores of each row's own items, shape (n_rows, n), as that of ``items``."""


def tune_terms(scorer: Termed, bench: Bench, popularity: Vector) -> None:
    """Set the weights with the highest value on the bench, by moving one at a time.

    Each step multiplies a weight, takes it out, or puts one in that was out, as long as the metric
    rises. Only what is among the first by some weights is ranked anew, so what other weights would
    put first is looked for again and joins it, until they stay. Two thousand of the customers
    asked are enough for that.
    """
    bench = bench.thin(_TUNED_BY)
    heads: list[Head] = []
    for _ in range(_LOOKS):
        heads.append(take_head(scorer, bench))
        pool = Pool.build(heads, bench, popularity)
        weights = _climb(scorer, _gather_terms(scorer, bench, pool), pool)
        if weights == scorer.weights:
            break
        scorer.set_weights(weights)


def _climb(scorer: Termed, terms: Scores, pool: Pool) -> tuple[float, ...]:
    """The best weights for ranking a pool's items, each moved as long as that helps."""

    def measure(weights: tuple[float, ...]) -> float:
        shares = np.asarray(scorer.spread(weights), dtype=np.float32)
        return float(pool.measure(np.tensordot(shares, terms, axes=1)).mean())

    weights = scorer.weights
    best = measure(weights)
    for _ in range(_ROUNDS):
        before = best
        for at in range(len(weights)):
            options = [weights[at] * f for f in _FACTORS] if weights[at] else list(_STARTS)
            for option in (*options, 0.0):
                tried = (*weights[:at], round(option, 4), *weights[at + 1 :])
                value = measure(tried)
                if value > best:
                    best, weights = value, tried
        if best <= before * 1.0005:
            break
    return weights


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
