"""Percentile bootstrap: intervals for a mean and for a paired difference of means."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData

_CELLS = 2_000_000


@dataclass(frozen=True)
class Interval:
    """An estimate with the two ends of its interval, all in the estimate's own unit."""

    value: float
    low: float
    high: float


def bootstrap_mean(
    values: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    samples: int = 1000,
    alpha: float = 0.05,
) -> Interval:
    """Mean of ``values`` with its percentile-bootstrap interval.

    Parameters
    ----------
    values
        Shape (n,), one number per independent unit (customer, not row).
    samples
        Resamples drawn.
    alpha
        1 - coverage; 0.05 gives a 95% interval.

    Raises
    ------
    NotEnoughData
        If there are fewer than two values, or one is not finite.

    Source
    ------
    Efron (1979), Annals of Statistics 7(1); percentile interval.

    Examples
    --------
    >>> bootstrap_mean(np.full(20, 0.5), rng=np.random.default_rng(0))
    Interval(value=0.5, low=0.5, high=0.5)
    """
    if len(values) < 2 or not np.isfinite(values).all():
        raise NotEnoughData(
            f"A bootstrap interval needs at least two finite values, but got {len(values)}"
            " values of which some may be missing. Give one finite number per customer."
        )
    means = _resampled_means(np.asarray(values, dtype=np.float64), rng, samples)
    low, high = np.quantile(means, [alpha / 2, 1 - alpha / 2])
    return Interval(float(np.mean(values)), float(low), float(high))


def bootstrap_difference(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    samples: int = 1000,
    alpha: float = 0.05,
) -> Interval:
    """Mean of ``first - second`` over the same units, resampled in pairs.

    Parameters
    ----------
    first, second
        Shape (n,), the two values of each unit in the same order.

    Raises
    ------
    NotEnoughData
        If the two differ in length or hold fewer than two finite pairs.

    Examples
    --------
    >>> a = np.array([1.0, 2.0, 3.0])
    >>> bootstrap_difference(a, a - 1, rng=np.random.default_rng(0))
    Interval(value=1.0, low=1.0, high=1.0)
    """
    if len(first) != len(second):
        raise NotEnoughData(
            f"A paired difference needs two values for each unit, but got {len(first)} and"
            f" {len(second)}. Give both for the same customers in the same order."
        )
    return bootstrap_mean(first - second, rng=rng, samples=samples, alpha=alpha)


def _resampled_means(
    values: NDArray[np.float64], rng: np.random.Generator, samples: int
) -> NDArray[np.float64]:
    n = len(values)
    rows = max(1, _CELLS // n)
    means = np.empty(samples)
    for start in range(0, samples, rows):
        size = min(rows, samples - start)
        means[start : start + size] = values[rng.integers(0, n, (size, n))].mean(axis=1)
    return means
