"""What each item's score is multiplied by: its trend, and how far the popular are damped."""

from collections.abc import Mapping

import numpy as np

from lingxi.recommend.histories import Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.recipe import COMMON, Param
from lingxi.recommend.scorer import Vector

_PRIOR = 2.0  # orders at the shop's average trend that every item is given on top of its own


def find_factor(taught: Histories, params: Mapping[str, Param]) -> Vector:
    """What each item's score is multiplied by, shape (n_items,): ``trend(i) · d(i)^-damping``.

    d(i) is how many customers met item i: damping above 0 favours the rare, below 0 the popular.
    """
    read = {**COMMON, **params}
    damping = float(read["damping"])
    trend = find_trend(taught, float(read["trend"]), float(read["trend_half_life"]))
    if damping == 0:
        return trend
    factor: Vector = trend * np.maximum(taught.count_holders(), 1.0) ** -damping
    return factor


def find_trend(taught: Histories, strength: float, half_life: float) -> Vector:
    """How much an item is wanted now beside always: 1 for the shop's average, shape (n_items,).

    ``trend(i) = (((r_i + c ρ) / (n_i + c)) / ρ)^strength``: n_i is the sum of item i's weights, r_i
    the same fading by ``half_life`` (days), ρ the ratio of both sums over all items and c a prior,
    so that few orders say little. Strength 0 switches it off; 1 throughout without times.
    """
    if strength == 0 or not taught.timed or not len(taught.items):
        return np.ones(taught.n_items)
    total = taught.popularity(Weighting())
    recent = taught.popularity(Weighting(half_life_days=half_life))
    average = float(recent.sum() / total.sum()) if total.any() else 0.0
    if average <= 0:
        return np.ones(len(total))
    ratio: Vector = (recent + _PRIOR * average) / (total + _PRIOR) / average
    return np.power(ratio, strength)
