"""Percentile bootstrap: intervals for a mean, for many at once, and for a paired difference."""

from collections.abc import Mapping
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
    return _enclose(float(np.mean(values)), float(low), float(high))


def bootstrap_means(
    values: Mapping[str, NDArray[np.float64]],
    *,
    rng: np.random.Generator,
    samples: int = 1000,
    alpha: float = 0.05,
) -> dict[str, Interval]:
    """Means of several numbers of the same units, each with its percentile-bootstrap interval.

    The units are resampled once for all of them, so that twenty metrics of a hundred thousand
    customers take seconds. Units that lack a number (NaN) are left out of its mean; what fewer
    than two units have is left out of the answer.

    Parameters
    ----------
    values
        Each of shape (n,), one number per independent unit, in the same order.
    samples
        Resamples drawn.
    alpha
        1 - coverage; 0.05 gives a 95% interval.

    Raises
    ------
    NotEnoughData
        If they are not of one length.

    Source
    ------
    Efron (1979), Annals of Statistics 7(1); percentile interval.

    Examples
    --------
    >>> found = bootstrap_means({"a": np.full(9, 2.0)}, rng=np.random.default_rng(0))
    >>> found["a"]
    Interval(value=2.0, low=2.0, high=2.0)
    """
    lengths = {len(column) for column in values.values()}
    if len(lengths) > 1:
        raise NotEnoughData(
            f"Numbers of the same units are needed, but their counts are {sorted(lengths)}."
        )
    names = [name for name, column in values.items() if np.isfinite(column).sum() >= 2]
    if not names:
        return {}
    table = np.stack([np.asarray(values[name], dtype=np.float64) for name in names], axis=1)
    there = np.isfinite(table)
    means = _resampled_columns(np.where(there, table, 0.0), there, rng, samples)
    low, high = np.nanquantile(means, [alpha / 2, 1 - alpha / 2], axis=0)
    return {
        name: _enclose(float(np.mean(table[there[:, at], at])), float(low[at]), float(high[at]))
        for at, name in enumerate(names)
    }


def _enclose(value: float, low: float, high: float) -> Interval:
    """An interval that holds its value: where all units have one number, sums in another order
    differ in the last digits."""
    return Interval(value, min(low, value), max(high, value))


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


def _resampled_columns(
    table: NDArray[np.float64],
    there: NDArray[np.bool_],
    rng: np.random.Generator,
    samples: int,
) -> NDArray[np.float64]:
    """The mean of each column over the rows that have it, shape (samples, n_columns).

    A resample is how often it holds each row, so the means are one product of matrices.
    """
    n, columns = table.shape
    gaps = np.flatnonzero(~there.all(axis=0))
    both = np.concatenate([table, there[:, gaps]], axis=1)
    rows = max(1, min(samples, _CELLS // n))
    times = np.empty((rows, n))
    means = np.empty((samples, columns))
    for start in range(0, samples, rows):
        size = min(rows, samples - start)
        for row in range(size):
            times[row] = np.bincount(rng.integers(0, n, n), minlength=n)
        sums = times[:size] @ both
        counts = np.full((size, columns), float(n))
        counts[:, gaps] = sums[:, columns:]
        with np.errstate(invalid="ignore"):
            means[start : start + size] = sums[:, :columns] / counts
    return means
