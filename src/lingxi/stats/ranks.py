"""Ranks with ties shared, and the correlation of ranks."""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData


def rank_average(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 (lowest); equal values share the mean of the ranks they take up.

    >>> rank_average(np.array([10.0, 30.0, 10.0])).tolist()
    [1.5, 3.0, 1.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return middle[inverse]


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Spearman's rho: Pearson's correlation of the ranks, in [-1, 1].

    Raises
    ------
    NotEnoughData
        If all values of one side are equal, or there are fewer than two.

    Source
    ------
    Spearman (1904), American Journal of Psychology 15(1).

    Examples
    --------
    >>> round(rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([2.0, 3.0, 4.0])), 12)
    1.0
    """
    a, b = rank_average(first), rank_average(second)
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise NotEnoughData(
            "A rank correlation needs at least two different values on each side."
            " Take more customers or a longer period."
        )
    return float(np.corrcoef(a, b)[0, 1])
