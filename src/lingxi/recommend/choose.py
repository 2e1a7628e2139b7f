"""Choosing a model: a small grid on the inner window, then an honest look at the outer one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.bench import Bench, Trial
from lingxi.recommend.families import FAMILIES, make_recipe, vary
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import row_lengths
from lingxi.recommend.model import Model, find_trend
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.windows import Window

METRIC = "ndcg@10"
MOST_CUSTOMERS = 1000
"""Customers drawn for the inner comparison; the outer one takes all up to ``MOST_OUTER``."""
MOST_OUTER = 5000
_TRENDS = ((7.0, 0.0), (7.0, 0.5), (7.0, 0.75), (7.0, 1.0), (30.0, 0.5), (30.0, 1.0))
NAMES = tuple(FAMILIES)
"""The models, the simpler first."""
_BASE = "item_cosine"
_STARTS = tuple(
    make_recipe(family.name, start)
    for family in FAMILIES.values()
    for start in family.starts
    if family.name not in ("popularity", _BASE)
)

STEPS = len(_STARTS) + 2
"""Steps that ``search`` reports."""


@dataclass(frozen=True)
class _Remembered:
    """The scores of all drawn customers, so that trends can be compared without scoring again."""

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """The scores it was given, found by the fitted rows, which rise."""
        return self.scores[np.searchsorted(self.rows, histories.rows)]


def draw_bench(window: Window, most: int, rng: np.random.Generator) -> Bench:
    """A bench with at most ``most`` of the window's customers."""
    rows = np.flatnonzero(row_lengths(window.wanted) > 0)
    if len(rows) > most:
        rows = np.sort(rng.choice(rows, most, replace=False))
    taught = window.before.histories()
    return Bench(taught, taught.take(rows), window.wanted[rows], window.bought[rows], METRIC)


def _try_trends(bench: Bench, model: Model, recipes: Sequence[Recipe]) -> list[Trial]:
    """Trials of recipes that differ from the model's in trend only."""
    scores = model.scorer.score(bench.asked)
    trials = []
    for recipe in recipes:
        trend = find_trend(bench.taught, recipe).astype(np.float32)
        found = bench.evaluate(_Remembered(scores * trend, bench.asked.rows))
        trials.append(Trial(recipe, float(found.values[METRIC].mean())))
    return trials


def search(bench: Bench, tell: Callable[[int], None]) -> dict[str, Trial]:
    """The best trial of each model on the inner window; ``tell`` counts up to ``STEPS``.

    First how strongly demand of late should count, on item-based cosine; then every model with
    that; then, for the best, its neighbours: other half-lives and another k. Of equal trials
    the earlier wins, so the simpler.
    """
    base = make_recipe(_BASE, FAMILIES[_BASE].starts[0])
    variants = [vary(base, trend_half_life=h, trend=strength) for h, strength in _TRENDS]
    trials = _try_trends(bench, bench.fit(base), variants)
    trend = _best(trials).recipe
    for step, start in enumerate(_STARTS, 1):
        tell(step)
        half_life, strength = trend.common("trend_half_life"), trend.common("trend")
        moved = vary(start, trend_half_life=half_life, trend=strength)
        trials.append(bench.try_out(moved)[0])
    tell(STEPS - 1)
    trials += _refine(bench, _best(trials).recipe)
    starts = FAMILIES["popularity"].starts
    trials += [bench.try_out(make_recipe("popularity", start))[0] for start in starts]
    tell(STEPS)
    return {name: _best([t for t in trials if t.recipe.name == name]) for name in NAMES}


def choose(best: dict[str, Trial], among: Sequence[str] = NAMES) -> Trial:
    """The highest NDCG@10; of equal ones the simpler model."""
    return _best([best[name] for name in NAMES if name in among])


def choose_for_visitors(best: dict[str, Trial]) -> Trial:
    """The best that needs no customer: an item-item operator."""
    return choose(best, [name for name, family in FAMILIES.items() if family.visitors])


def _refine(bench: Bench, start: Recipe) -> list[Trial]:
    """Trials around a recipe: no ageing of what is taught, what its family suggests, ageing."""
    others = (vary(start, taught_half_life=0.0), *FAMILIES[start.name].around(start))
    trials = [bench.try_out(recipe)[0] for recipe in others]
    ageing = vary(_best(trials).recipe, history_half_life=60.0)
    return [*trials, bench.try_out(ageing)[0]]


def _best(trials: Sequence[Trial]) -> Trial:
    return max(trials, key=lambda trial: trial.value)
