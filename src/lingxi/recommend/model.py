"""A fitted model: a scorer, and how much each item is in demand just now."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.history import Weighting
from lingxi.recommend.interactions import Interactions
from lingxi.recommend.matrix import Csr, row_lengths, row_sums, scale, transpose
from lingxi.recommend.recipe import Recipe, build_scorer
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

    def score(self, histories: Csr, own: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of all items, shape (n_histories, n_items), 0 where nothing is known."""
        scores: NDArray[np.float32] = self.scorer.score(histories, own)
        return np.multiply(scores, self.trend, dtype=np.float32, casting="same_kind")

    def explain(self, histories: Csr, own: NDArray[np.int64], lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to each listed item; see ``Scorer.explain``."""
        given = self.scorer.explain(histories, own, lists)
        factors = np.repeat(self.trend[lists.reshape(-1)], row_lengths(given))
        return scale(given, given.data * factors)


def fit_model(recipe: Recipe, interactions: Interactions, as_of: datetime) -> Model:
    """The recipe's model of everything before ``as_of``."""
    scorer = build_scorer(recipe)
    scorer.fit(interactions.weights(recipe.taught_weighting, as_of))
    return Model(recipe, scorer, find_trend(interactions, as_of, recipe))


def find_trend(interactions: Interactions, as_of: datetime, recipe: Recipe) -> Vector:
    """How much an item is wanted now beside always: 1 for the shop's average, shape (n_items,).

    ``trend(i) = (((r_i + c ρ) / (n_i + c)) / ρ)^strength``: n_i is the sum of item i's weights, r_i
    the same with ``trend_half_life``, ρ the ratio of both sums over all items and c a prior, so
    that few orders say little. Strength 0 switches it off.
    """
    total = popularity(interactions, as_of, 0.0)
    if recipe.trend == 0 or not total.any():
        return np.ones(len(total))
    recent = popularity(interactions, as_of, recipe.trend_half_life)
    average = float(recent.sum() / total.sum())
    if average <= 0:
        return np.ones(len(total))
    ratio: Vector = (recent + _PRIOR * average) / (total + _PRIOR) / average
    return np.power(ratio, recipe.trend)


def popularity(interactions: Interactions, as_of: datetime, half_life_days: float) -> Vector:
    """Sum of each item's weights over all customers, fading with age, shape (n_items,)."""
    weights = interactions.weights(Weighting(half_life_days=half_life_days), as_of)
    return row_sums(transpose(weights))
