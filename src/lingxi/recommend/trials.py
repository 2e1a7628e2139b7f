"""What a search tried: the best of the trials, and the recipes between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench, Trial
from lingxi.recommend.families import FAMILIES, vary
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.starts import OF_TIME, rank_simplicity

_WORTH = 1.1
"""How many times as good a model must be that takes longer than is wished."""
GAINS_LITTLE = (
    "it finds no more than the best model alone, or no more than by chance, where single items are "
    "held back or where items that belong together are"
)
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

    @property
    def slower(self) -> Trial | None:
        """The best of those that are better than the choice and take longer to answer."""
        own = best_of([trial for trial in self.trials if trial.recipe == self.recipe])
        if own is None:
            return None
        longer = [
            trial
            for trial in self.trials
            if trial.value > own.value and trial.answer_ms > own.answer_ms and not trial.by_chance
        ]
        return max(longer, key=lambda trial: trial.value, default=None)


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The highest value; of equal ones the simpler model, then the first."""
    return min(trials, key=place) if trials else None


def choose(trials: Sequence[Trial], quick_ms: float = 0.0) -> Trial | None:
    """The best; but the best of those that answer within ``quick_ms``, 0 for no such wish, unless
    it is a tenth better than that."""
    best = best_of(trials)
    if best is None or not quick_ms:
        return best
    quick = best_of([t for t in trials if not t.slow and t.answer_ms <= quick_ms])
    return quick if quick and best.value <= _WORTH * quick.value else best


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


def place(trial: Trial) -> tuple[bool, bool, float, int]:
    """Smaller is better; what is above another by chance alone comes late, what is slow last."""
    return trial.slow, trial.by_chance, -trial.value, rank_simplicity(trial.recipe.name)


def weigh_chance(
    trial: Trial, values: NDArray[np.float64], best: Trial, best_values: NDArray[np.float64]
) -> Trial:
    """The trial, marked where another ageing of what is taught gains no more than chance.

    How far the past still counts depends on how far ahead is asked, which a split cannot know:
    where each customer's own last events are held back, a short half-life looks a little better
    than it is for the month that follows.

    Parameters
    ----------
    values, best_values
        The metric of each customer asked, of the trial and of the model's best so far; one
        standard error of the mean difference is chance.
    """
    ageing = (trial.recipe.params.get("taught_half_life", 0.0) for trial in (trial, best))
    same = len(set(ageing)) == 1
    return replace(trial, by_chance=not same and is_by_chance(values, best_values))


def put_behind(trial: Trial, short: Trial) -> Trial:
    """The trial, marked where it is above one of the same model with shorter lists, and by next to
    nothing: what those may lose is less than what chance does."""
    above = trial.recipe.name == short.recipe.name and trial.value > short.value
    return replace(trial, by_chance=True) if above else trial


def is_by_chance(values: NDArray[np.float64], best_values: NDArray[np.float64]) -> bool:
    """Whether the mean gain is above 0 and within one standard error of the mean difference.

    Examples
    --------
    >>> better = np.array([0.2, 0.1, 0.4, 0.3])
    >>> is_by_chance(better, better - 0.1), is_by_chance(better, better[::-1] - 0.01)
    (False, True)
    """
    gains = values - best_values
    error = float(gains.std() / np.sqrt(max(len(gains), 1)))
    return 0 < float(gains.mean()) <= error


def gains_little(bench: Bench, values: NDArray[np.float64], alone: NDArray[np.float64]) -> bool:
    """Whether models together gain no more than chance over the best of them alone, or nothing by
    one of the ways of holding back; never where times are known.

    What is put on top of models fits the way of holding back too, and a test may be another.
    """
    if bench.bunched is None:
        return False
    return bench.find_least_gain(values, alone) <= 0 or is_by_chance(values, alone)


def differ(recipe: Recipe, other: Recipe, *, timed: bool) -> bool:
    """Whether two recipes of a model can give different models of data with times, or without."""
    mine, yours = bare_of(recipe).params.items(), bare_of(other).params.items()
    changed = {key for key, _ in mine ^ yours}
    return bool(changed if timed else changed - OF_TIME)


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
