"""Whether a probability means what it says: of those given 30%, do 30% do it?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData


@dataclass(frozen=True)
class ReliabilityBin:
    """Customers of neighbouring probability: the mean said, the share that came true."""

    count: int
    predicted: float
    observed: float


def reliability_curve(
    labels: NDArray[np.int8], probabilities: NDArray[np.float64], *, n_bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Customers sorted by probability and cut into ``n_bins`` groups of equal size.

    Raises
    ------
    NotEnoughData
        If there are no rows.

    Examples
    --------
    >>> curve = reliability_curve(np.array([0, 0, 1, 1]), np.array([0.2, 0.2, 0.8, 0.8]), n_bins=2)
    >>> [(b.count, b.predicted, b.observed) for b in curve]
    [(2, 0.2, 0.0), (2, 0.8, 1.0)]
    """
    if len(labels) == 0:
        raise NotEnoughData("A reliability curve needs at least one customer, but there are none.")
    order = np.argsort(probabilities, kind="stable")
    groups = [g for g in np.array_split(order, n_bins) if len(g)]
    return tuple(
        ReliabilityBin(len(g), float(probabilities[g].mean()), float(labels[g].mean()))
        for g in groups
    )


def calibration_error(
    labels: NDArray[np.int8], probabilities: NDArray[np.float64], *, n_bins: int = 10
) -> float:
    """Expected calibration error: mean distance of said from observed over equal-sized groups.

    Raises
    ------
    NotEnoughData
        If there are no rows.

    Source
    ------
    Naeini, Cooper and Hauskrecht (2015), AAAI, with groups of equal size instead of equal width.

    Examples
    --------
    >>> calibration_error(np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 1.0, 1.0]), n_bins=2)
    0.0
    """
    curve = reliability_curve(labels, probabilities, n_bins=n_bins)
    total = sum(b.count * abs(b.predicted - b.observed) for b in curve)
    return total / len(labels)
