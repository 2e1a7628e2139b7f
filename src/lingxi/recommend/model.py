"""A fitted model: a scorer, and how much each item is in demand just now."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.families import build_scorer
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import Csr, row_lengths, scale
from lingxi.recommend.recipe import COMMON, Param, Recipe
from lingxi.recommend.scorer import Scorer, Vector

_PRIOR = 2.0  # orders at the shop's average trend that every item is given on top of its own


@dataclass(frozen=True)
class Model:
    """``score(u, i) = trend(i) · scorer's score(u, i)``, so still linear in the history."""

    recipe: Recipe
    scorer: Scorer
    trend: Vector

    @property
    def name(self) -> str:
        """The model's name."""
        return self.recipe.name

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_histories, n_items), 0 where nothing is known."""
        scores: NDArray[np.float32] = self.scorer.score(histories)
        return np.multiply(scores, self.trend, dtype=np.float32, casting="same_kind")

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to each listed item; see ``Scorer.explain``."""
        given = self.scorer.explain(histories, lists)
        factors = np.repeat(self.trend[lists.reshape(-1)], row_lengths(given))
        return scale(given, given.data * factors)


def fit_model(recipe: Recipe, taught: Histories) -> Model:
    """The recipe's model of these histories."""
    scorer = build_scorer(recipe)
    scorer.fit(taught)
    return Model(recipe, scorer, find_factor(taught, recipe.params))


def find_factor(taught: Histories, params: Mapping[str, Param]) -> Vector:
    """What each item's score is multiplied by, shape (n_items,): ``trend(i) · d(i)^-damping``.

    d(i) is how many customers met item i: damping above 0 favours the rare, below 0 the popular.
    """
    read = {**COMMON, **params}
    damping = float(read["damping"])
    trend = find_trend(taught, float(read["trend"]), float(read["trend_half_life"]))
    if damping == 0:
        return trend
    met = np.bincount(taught.seen().indices, minlength=taught.n_items)
    return trend * np.maximum(met, 1.0) ** -damping


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
