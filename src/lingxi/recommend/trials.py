"""What a search tried: the best of the trials, and the recipes between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lingxi.recommend.bench import Trial
from lingxi.recommend.families import FAMILIES, vary
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.starts import rank_simplicity

_MOMENT = 5.0
"""Seconds that a fit of item-kNN may be reckoned at to be tried whatever the time."""


@dataclass(frozen=True)
class Found:
    """The recipe with the highest value on the bench, and all that was tried.

    ``skipped``: models with no trial, or of which something was left out, and why.
    """

    recipe: Recipe
    trials: tuple[Trial, ...]
    skipped: Mapping[str, str]
    seconds: float

    def best(self, *names: str) -> Trial | None:
        """The best trial of these models, nothing where none was tried."""
        return best_of([trial for trial in self.trials if trial.recipe.name in names])


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The highest value; of equal ones the simpler model, then the first."""
    return min(trials, key=place) if trials else None


def is_cheap(recipe: Recipe, size: tuple[int, int, int], seconds: float) -> bool:
    """Whether a model is tried whatever the time: popularity, and item-kNN unless its fit is long.

    Reports compare every model with these two, and fit them anyway. On a slow machine what asking
    takes may be reckoned too high, and the search ended with popularity alone.

    Parameters
    ----------
    size
        Customers, items and events that are learnt from.
    seconds
        For the search and the final fit.
    """
    if recipe.name != "item_cosine":
        return recipe.name == "popularity"
    return FAMILIES[recipe.name].cost(*size) <= max(_MOMENT, seconds)


def place(trial: Trial) -> tuple[float, int]:
    """Smaller is better."""
    return -trial.value, rank_simplicity(trial.recipe.name)


def move(recipe: Recipe, start: Recipe, best: Recipe) -> Recipe:
    """The best recipe so far with the step that leads from ``start`` to ``recipe``.

    So steps that helped add up in one round.
    """
    step = {k: v for k, v in recipe.params.items() if start.params.get(k) != v}
    return vary(best, **step)


def bare_of(recipe: Recipe) -> Recipe:
    """Without what is tuned afterwards, and without defaults spelled out."""
    known = FAMILIES[recipe.name].read(Recipe(name=recipe.name))
    params = {
        key: value
        for key, value in recipe.params.items()
        if key not in ("trend", "trend_half_life", "damping") and value != known[key]
    }
    return Recipe(name=recipe.name, params=params, parts=recipe.parts, shares=recipe.shares)
