"""A fitted model: a scorer, and how much each item is in demand just now."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.earlier import Earlier, remind
from lingxi.recommend.factors import find_factor
from lingxi.recommend.families import build_scorer
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import Csr, row_lengths, scale
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.scorer import ListingMany, Scorer, Vector, as_listing


@dataclass(frozen=True)
class Model:
    """``score(u, i) = trend(i) · scorer's score(u, i)``, so still linear in the history."""

    recipe: Recipe
    scorer: Scorer
    trend: Vector

    def __post_init__(self) -> None:
        # of an array that is mapped from a file NumPy takes items far slower
        object.__setattr__(self, "trend", np.asarray(self.trend).view(np.ndarray))

    @property
    def name(self) -> str:
        """The model's name."""
        return self.recipe.name

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_histories, n_items), 0 where nothing is known."""
        scores: NDArray[np.float32] = self.scorer.score(histories)
        return np.multiply(scores, self.trend, dtype=np.float32, casting="same_kind")

    def list_scores(self, history: Histories) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The items of a single history that are scored above 0, rising, and their scores."""
        listing = as_listing(self.scorer)
        if listing is not None:
            items, own = listing.list_scores(history)
            return items, self._multiply(own, items)
        whole = self.score(history)[0]
        met = (whole > 0).nonzero()[0]
        return met, whole[met]

    def list_many(
        self, scorer: ListingMany, histories: Histories
    ) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """The same of many histories; ``scorer``: the model's own, which can."""
        indptr, items, own = scorer.list_many(histories)
        scores = self._multiply(own, items)
        cuts = pairwise(indptr.tolist())
        return [(items[start:stop], scores[start:stop]) for start, stop in cuts]

    def _multiply(self, own: NDArray[np.float32], items: NDArray[np.int64]) -> NDArray[np.float32]:
        """The scorer's scores of some items, times how much each is in demand."""
        return np.multiply(own, self.trend.take(items), dtype=np.float32, casting="same_kind")

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to each listed item; see ``Scorer.explain``."""
        given = self.scorer.explain(histories, lists)
        factors = np.repeat(self.trend[lists.reshape(-1)], row_lengths(given))
        return scale(given, given.data * factors)


def fit_model(
    recipe: Recipe, taught: Histories, earlier: Earlier | None = None, prefix: str = ""
) -> Model:
    """The recipe's model of these histories.

    ``earlier``: what it came to before, saved under ``prefix``; the fit is the same, and sooner.
    """
    scorer = build_scorer(recipe)
    remind(scorer, earlier, prefix)
    scorer.fit(taught)
    return Model(recipe, scorer, find_factor(taught, recipe.params))
