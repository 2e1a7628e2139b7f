"""Fitting what is put on top of models: shares of a blend, and a factor of each item."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.factors import find_factor
from lingxi.recommend.histories import Histories
from lingxi.recommend.pool import Pool, Scores
from lingxi.recommend.recipe import Param
from lingxi.recommend.scorer import Vector

_TRENDS = ((7.0, 0.5), (7.0, 0.75), (7.0, 1.0), (30.0, 0.5), (30.0, 1.0))
_DAMPINGS = ((-0.1, -0.2, -0.3, -0.45, -0.6), (0.1, 0.2, 0.3))
"""Towards the popular and towards the rare, each as long as the next one is better."""
_SHARES = (0.1, 0.2, 0.35, 0.6, 1.0, 1.7)
_STEPS = (0.7, 1.4)
_MOST_PARTS = 4
_SEARCHED = 3_000
"""Customers on whom shares are looked for, at most: each of hundreds of sums is ranked for all."""
_LEAST_GAIN = 0.003
"""A part must raise the mean by this share of it, and by more than one standard error."""


@dataclass(frozen=True)
class Factor:
    """Parameters of the factor of each item, and the factor itself; nothing for 1."""

    params: dict[str, Param] = field(default_factory=dict)
    vector: Vector | None = None


PLAIN = Factor()


@dataclass(frozen=True)
class Mixture:
    """Shares of a pool's heads, the factor on top, and the metric of both for each customer."""

    shares: tuple[float, ...]
    factor: dict[str, Param]
    values: NDArray[np.float64]

    @property
    def value(self) -> float:
        """Their mean."""
        return float(self.values.mean())


def tune_factor(pool: Pool, taught: Histories, scores: Scores | None = None) -> Factor:
    """How strongly demand of late and rarity should count on top of a model.

    First the trend, where times are known, then the damping of popularity, a step at a time away
    from none: the value rises to one highest point and falls.
    """
    mine = pool.scores[0] if scores is None else scores
    best, value = PLAIN, float(pool.measure(mine).mean())
    options: list[dict[str, Param]] = []
    if taught.timed:
        options = [{"trend_half_life": days, "trend": power} for days, power in _TRENDS]
    for params in options:
        best, value = _better(pool, taught, mine, params, best, value)
    trend, start = best.params, value
    for ladder in _DAMPINGS:
        for damping in ladder if value <= start else ():
            before = value
            params = {**trend, "damping": damping}
            best, value = _better(pool, taught, mine, params, best, value)
            if value <= before:
                break
    return best


def _better(
    pool: Pool,
    taught: Histories,
    scores: Scores,
    params: dict[str, Param],
    best: Factor,
    value: float,
) -> tuple[Factor, float]:
    vector = find_factor(taught, params)
    found = float(pool.measure(scores, vector).mean())
    return (Factor(params, vector), found) if found > value else (best, value)


def mix(pool: Pool, taught: Histories) -> Mixture:
    """Shares by steps: the best head, then whichever other raises the metric most, and so on.

    A head joins only where it raises the mean by more than chance would; a share of 0 leaves it
    out. Afterwards each share is moved up and down while that helps, then the factor is tuned. The
    shares are found on a part of the customers where there are many; the value is that of all.
    """
    n, asked = len(pool.scores), len(pool.items)
    most = min(asked, _SEARCHED)
    some = pool if most == asked else pool.take(np.arange(most) * asked // most)
    alone = [some.measure(some.scores[at]) for at in range(n)]
    first = int(np.argmax([values.mean() for values in alone]))
    shares, values = np.zeros(n), alone[first]
    shares[first] = 1.0
    for _ in range(min(_MOST_PARTS, n) - 1):
        fresh, found = _add_one(some, shares, values)
        if not _is_gain(found, values):
            break
        shares, values = _polish(some, fresh, found)
    total = pool.combine(shares.tolist())
    factor = tune_factor(pool, taught, total)
    return Mixture(tuple(shares.tolist()), factor.params, pool.measure(total, factor.vector))


def _add_one(
    pool: Pool, shares: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The best way to give one more head a share."""
    best, found = shares, values
    base = pool.combine(shares.tolist())
    for at in np.flatnonzero(shares == 0).tolist():
        for share in _SHARES:
            tried = pool.measure(base + np.float32(share) * pool.scores[at])
            if tried.mean() > found.mean():
                best, found = shares.copy(), tried
                best[at] = share
    return best, found


def _polish(
    pool: Pool, shares: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Move each share a little while that raises the metric."""
    for _ in range(3):
        before = values.mean()
        for at in np.flatnonzero(shares).tolist():
            for step in _STEPS:
                moved = shares.copy()
                moved[at] *= step
                tried = pool.measure(pool.combine(moved.tolist()))
                if tried.mean() > values.mean():
                    shares, values = moved, tried
        if values.mean() <= before:
            break
    return shares, values


def _is_gain(found: NDArray[np.float64], values: NDArray[np.float64]) -> bool:
    """Whether the paired difference is worth another model."""
    gains = found - values
    error = float(gains.std() / np.sqrt(max(len(gains), 1)))
    return float(gains.mean()) > max(_LEAST_GAIN * float(values.mean()), error, 1e-12)
