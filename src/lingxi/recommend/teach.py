"""Learning the weights of ``Learned`` from the heads of models on a bench, and measuring it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench
from lingxi.recommend.learned import (
    DEPTH,
    PER_ITEM,
    Task,
    Vector,
    describe_items,
    learn_weights,
    make_features,
)
from lingxi.recommend.matrix import Csr
from lingxi.recommend.pool import Head, Pool, find_cells

MOST_PARTS = 8
"""Models kept in the end: those that say most."""
_FOLDS = 2


@dataclass(frozen=True)
class Lesson:
    """Which heads are heard, the weights, and each asked customer's metric.

    The metric of a customer comes from weights that were learnt without them.
    """

    kept: tuple[int, ...]
    weights: tuple[float, ...]
    values: Vector


def learn(
    heads: Sequence[Head],
    bench: Bench,
    popularity: Vector,
    rng: np.random.Generator,
    *,
    until: float = float("inf"),
) -> Lesson:
    """Learn from all heads, keep those that say most, learn again.

    Where items were held back in two ways, a part without which the worse of the two gains no less
    is left out, the quietest first: it stands for one kind of test at the cost of the other.

    Parameters
    ----------
    heads
        The best model's first.
    until
        By ``time.monotonic``: when no further part is looked at.
    """
    cut = [cut_at_depth(head, bench.asked.seen()) for head in heads]
    known = describe_items(bench.taught)
    pool = Pool.build(cut, bench, popularity)
    folds = rng.integers(0, _FOLDS, bench.asked.n_rows)
    alone = pool.measure(pool.scores[0])
    task, _ = set_task(pool, *known)
    kept = _find_loudest(task, learn_weights(task))
    values = _cross_measure(_hear(pool, kept), known, folds)
    for at in list(reversed(kept)) if bench.bunched is not None else []:
        if len(kept) <= 2 or time.monotonic() > until:
            break
        others = [part for part in kept if part != at]
        found = _cross_measure(_hear(pool, others), known, folds)
        if bench.find_least_gain(found, alone) >= bench.find_least_gain(values, alone):
            kept, values = others, found
    kept = sorted(kept)
    task, _ = set_task(_hear(pool, kept), *known)
    return Lesson(tuple(kept), tuple(learn_weights(task).tolist()), values)


def _hear(pool: Pool, parts: list[int]) -> Pool:
    """The pool with these heads and no others."""
    return replace(pool, scores=pool.scores[parts])


def cut_at_depth(head: Head, seen: Csr) -> Head:
    """What ``alone.cut_scores`` leaves of a head: shares of the best unmet item."""
    there = head.items >= 0
    unmet = there & ~find_cells(head.items, seen)
    kept = there & (np.cumsum(unmet, axis=1) <= DEPTH)
    first = np.argmax(unmet, axis=1)
    rows = np.arange(len(head.items))
    top = np.where(unmet.any(axis=1), head.scores[rows, first], head.scores.max(axis=1))
    shares = head.scores / np.where(top > 0, top, 1.0)[:, None]
    items = np.where(kept, head.items, -1)
    return Head(items, np.where(kept, shares, 0).astype(np.float32), 1.0)


def set_task(pool: Pool, met: Vector, trend: Vector) -> tuple[Task, NDArray[np.bool_]]:
    """The candidates of those who have any, and where they lie in the pool."""
    cells: NDArray[np.bool_] = np.logical_or.reduce(pool.scores > 0)
    items = pool.items[cells]
    features = make_features(pool.scores[:, cells], met[items], trend[items])
    counts = cells.sum(axis=1)
    indptr = np.concatenate(([0], np.cumsum(counts[counts > 0])))
    return Task(features, indptr, pool.hits[cells]), cells


def _find_loudest(task: Task, weights: Vector) -> list[int]:
    """The parts whose terms vary most over candidates, the loudest first."""
    n = (len(weights) - PER_ITEM) // 2
    if not len(task.features):
        return list(range(min(n, MOST_PARTS)))
    spread = []
    for at in range(n):
        pair = [at, n + at]
        spread.append(float((task.features[:, pair] @ weights[pair]).std()))
    loudest: list[int] = np.argsort(-np.array(spread), kind="stable")[:MOST_PARTS].tolist()
    return loudest


def _cross_measure(pool: Pool, known: tuple[Vector, Vector], folds: NDArray[np.integer]) -> Vector:
    """Each customer's metric by weights learnt from the other folds; ``folds``: one each."""
    task, cells = set_task(pool, *known)
    folds = folds[cells.any(axis=1)]
    logits = np.zeros(len(task.features))
    owners = task.owners
    for fold in range(_FOLDS):
        weights = learn_weights(task.take(folds != fold))
        mine = folds[owners] == fold
        logits[mine] = task.features[mine] @ weights
    if len(logits):
        logits -= np.maximum.reduceat(logits, task.indptr[:-1])[owners]
    scores = np.zeros(pool.items.shape, dtype=np.float32)
    scores[cells] = np.maximum(np.exp(logits), 1e-30)
    return pool.measure(scores)
