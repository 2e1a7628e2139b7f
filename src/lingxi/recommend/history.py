"""How much each item of a history counts: by what was done, how often and how long ago."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Weighting:
    """What one event of each kind is worth, and after how many days it is worth half.

    ``half_life_days`` 0 means that age does not matter.
    """

    view: float = 0.1
    cart: float = 0.4
    order: float = 1.0
    half_life_days: float = 0.0

    def __post_init__(self) -> None:
        worths = (self.view, self.cart, self.order, self.half_life_days)
        if not all(np.isfinite(worths)) or min(worths) < 0:
            raise InvalidInput(f"The weights of events must be numbers of at least 0: {self}.")


def weigh(
    views: Vector, carts: Vector, orders: Vector, age_days: Vector, weighting: Weighting
) -> Vector:
    """Weight of each item of a history, 1.0 for a single order of today.

    ``log2(1 + view·views + cart·carts + order·orders) · 2^(-age / half_life)``: the tenth time adds
    less than the first. Ages below 0 (clocks differ) count as 0.

    Parameters
    ----------
    views, carts, orders
        Counts, shape (n,).
    age_days
        Days since the last of them, shape (n,).

    Examples
    --------
    >>> none, once = np.zeros(2), np.ones(2)
    >>> weigh(none, none, once, np.array([0.0, 30]), Weighting(half_life_days=30))
    array([1. , 0.5])
    """
    total = weighting.view * views + weighting.cart * carts + weighting.order * orders
    weights: Vector = np.log2(1.0 + total)
    if weighting.half_life_days > 0:
        weights = weights * 2.0 ** (-np.maximum(age_days, 0.0) / weighting.half_life_days)
    return weights
