"""Exploration: some places of a list go to items drawn at random, with known probability.

The best list stands first. Each place from ``first_place`` on is given away with probability
``epsilon``, independently of the others; places given away take items of the pool, drawn uniformly
without replacement. So the probability that a place shows what it shows is known exactly: 1 where
nothing is given away, 1 - epsilon for the place's own item, epsilon / pool for each item of the
pool (a uniform draw without replacement has uniform marginals). The probability of the whole list
is the product over places, with the pool shrinking by each draw.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Exploring:
    """``share`` of a list's places that are given to exploration on average, in [0, 1].

    Places before ``first_place`` (from 0) are never given away.
    """

    share: float = 0.0
    first_place: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise InvalidInput(f"The share of exploration must be in [0, 1], but is {self.share}.")
        if self.first_place < 0:
            raise InvalidInput(f"The first place is counted from 0, but is {self.first_place}.")


@dataclass(frozen=True)
class Explored:
    """The list after exploration: items, which are explored, and how probable each was.

    ``propensities[k]`` is the probability, before drawing, that place k shows what it shows;
    ``log_propensity`` the logarithm of the probability of the whole list.
    """

    items: Places
    explored: NDArray[np.bool_]
    propensities: NDArray[np.float64]
    log_propensity: float


def find_epsilon(exploring: Exploring, free: NDArray[np.bool_]) -> float:
    """The probability with which each free place is given away, so that ``share`` of all are.

    Examples
    --------
    >>> find_epsilon(Exploring(share=0.1), np.array([False] + [True] * 9))
    0.1111111111111111
    """
    places = int(free.sum())
    return min(1.0, exploring.share * len(free) / places) if places else 0.0


def explore(
    best: Places,
    pool: Places,
    exploring: Exploring,
    rng: np.random.Generator,
    *,
    fixed: NDArray[np.bool_] | None = None,
) -> Explored:
    """Give some places of the list to items of the pool.

    Parameters
    ----------
    best
        The list without exploration, shape (n,).
    pool
        Items that may be shown instead, none of them in ``best``, each once. It must not depend on
        the draw. With fewer items than free places there is no exploration: the propensities would
        not be those stated.
    rng
        The same state gives the same list.
    fixed
        Places that are never given away (pins), shape (n,).

    Raises
    ------
    InvalidInput
        If the pool has an item of the list, or one twice.
    """
    if exploring.share == 0.0:
        return Explored(best, np.zeros(len(best), np.bool_), np.ones(len(best)), 0.0)
    if len(np.unique(np.concatenate((best, pool)))) != len(best) + len(pool):
        raise InvalidInput(
            "The pool of exploration must hold other items than the list, each once."
        )
    free = np.arange(len(best)) >= exploring.first_place
    if fixed is not None:
        free &= ~fixed
    epsilon = find_epsilon(exploring, free) if len(pool) >= int(free.sum()) else 0.0
    given = free & (rng.random(len(best)) < epsilon)
    drawn = rng.permutation(pool)[: int(given.sum())]
    items = best.copy()
    items[given] = drawn
    propensities = np.where(free, 1.0 - epsilon, 1.0)
    if epsilon > 0:
        propensities[given] = epsilon / len(pool)
    kept = int((free & ~given).sum())
    log = kept * math.log1p(-epsilon) if kept else 0.0
    for k in range(int(given.sum())):
        log += math.log(epsilon) - math.log(len(pool) - k)
    return Explored(items, given, propensities, log)
