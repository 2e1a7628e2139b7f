"""Choosing a model: a small grid on the inner window, then an honest look at the outer one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.evaluation import Evaluation, evaluate
from lingxi.recommend.interactions import Tally
from lingxi.recommend.matrix import Csr, row_lengths
from lingxi.recommend.model import Model, find_trend, fit_model
from lingxi.recommend.recipe import ITEM_NAMES, NAMES, Recipe
from lingxi.recommend.scorer import Ranker
from lingxi.recommend.windows import Window

METRIC = "ndcg@10"
MOST_CUSTOMERS = 1000
"""Customers drawn for the inner comparison; the outer one takes all up to ``MOST_OUTER``."""
MOST_OUTER = 5000
FILL_HALF_LIFE = 14.0
_TRENDS = ((7.0, 0.0), (7.0, 0.5), (7.0, 0.75), (7.0, 1.0), (30.0, 0.5), (30.0, 1.0))
_STARTS = (
    Recipe(name="item_cosine", k=50, taught_half_life=90.0),
    Recipe(name="item_pearson", k=50, taught_half_life=90.0),
    Recipe(name="rp3beta", k=100, taught_half_life=90.0),
    Recipe(name="rp3beta", k=200, alpha=0.8, beta=0.4, taught_half_life=90.0),
    Recipe(name="user_cosine", k=50, taught_half_life=90.0),
    Recipe(name="user_pearson", k=50, taught_half_life=90.0),
)

STEPS = len(_STARTS) + 1
"""Steps that ``search`` reports."""


@dataclass(frozen=True)
class Trial:
    """One recipe with its mean NDCG@10 on the inner window."""

    recipe: Recipe
    value: float


@dataclass(frozen=True)
class _Remembered:
    """The scores of all drawn customers, so that trends can be compared without scoring again."""

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]

    def score(self, histories: Csr, own: NDArray[np.int64]) -> NDArray[np.float32]:
        """The scores it was given, found by the fitted rows, which rise."""
        del histories
        return self.scores[np.searchsorted(self.rows, own)]


@dataclass(frozen=True)
class Bench:
    """One window with the customers drawn from it; fits models there and evaluates them."""

    window: Window
    tally: Tally
    rows: NDArray[np.int64]
    fit_seconds: dict[str, float]

    @staticmethod
    def draw(window: Window, most: int, rng: np.random.Generator) -> "Bench":
        """A bench with at most ``most`` of the window's customers."""
        rows = np.flatnonzero(row_lengths(window.wanted) > 0)
        if len(rows) > most:
            rows = np.sort(rng.choice(rows, most, replace=False))
        return Bench(window, window.before.tally(window.cutoff), rows, {})

    def fit(self, recipe: Recipe) -> Model:
        """The recipe's model of what came before the window."""
        start = time.perf_counter()
        model = fit_model(recipe, self.tally)
        self.fit_seconds[recipe.name] = time.perf_counter() - start
        return model

    def evaluate(self, recipe: Recipe, ranker: Ranker, at: Sequence[int] = (10,)) -> Evaluation:
        """How well the ranker finds what the drawn customers first bought in the window."""
        return evaluate(
            ranker,
            self.tally.weights(recipe.history_weighting)[self.rows],
            self.window.wanted[self.rows],
            at=at,
            own=self.rows,
            excluded=self.window.bought[self.rows],
            popularity=self.tally.popularity(FILL_HALF_LIFE),
        )

    def try_out(self, model: Model) -> Trial:
        """Its mean NDCG@10 here."""
        found = self.evaluate(model.recipe, model)
        return Trial(model.recipe, float(found.values[METRIC].mean()))

    def try_trends(self, model: Model, recipes: Sequence[Recipe]) -> list[Trial]:
        """The same for recipes that differ from the model's in trend only."""
        histories = self.tally.weights(model.recipe.history_weighting)[self.rows]
        scores = model.scorer.score(histories, self.rows)
        trials = []
        for recipe in recipes:
            trend = find_trend(self.tally, recipe).astype(np.float32)
            found = self.evaluate(recipe, _Remembered(scores * trend, self.rows))
            trials.append(Trial(recipe, float(found.values[METRIC].mean())))
        return trials


def search(bench: Bench, tell: Callable[[int], None]) -> dict[str, Trial]:
    """The best trial of each model on the inner window; ``tell`` counts up to ``STEPS``.

    First how strongly demand of late should count, on item-based cosine; then every model with
    that; then, for the best, its neighbours: other half-lives and another k. Of equal trials
    the earlier wins, so the simpler.
    """
    variants = [_vary(_STARTS[0], trend_half_life=h, trend=strength) for h, strength in _TRENDS]
    trials = bench.try_trends(bench.fit(_STARTS[0]), variants)
    trend = _best(trials).recipe
    for step, start in enumerate(_STARTS[1:], 1):
        tell(step)
        moved = _vary(start, trend_half_life=trend.trend_half_life, trend=trend.trend)
        trials.append(bench.try_out(bench.fit(moved)))
    tell(STEPS - 1)
    trials += _refine(bench, _best(trials).recipe)
    pops = (Recipe(name="popularity", taught_half_life=days) for days in (7.0, 30.0, 0.0))
    trials += [bench.try_out(bench.fit(recipe)) for recipe in pops]
    tell(STEPS)
    return {name: _best([t for t in trials if t.recipe.name == name]) for name in NAMES}


def choose(best: dict[str, Trial], among: Sequence[str] = NAMES) -> Trial:
    """The highest NDCG@10; of equal ones the simpler model."""
    return _best([best[name] for name in NAMES if name in among])


def choose_for_visitors(best: dict[str, Trial]) -> Trial:
    """The best that needs no customer: an item-item operator."""
    return choose(best, ITEM_NAMES)


def _refine(bench: Bench, start: Recipe) -> list[Trial]:
    """Trials around a recipe: half and double k, no ageing of what is taught, ageing of history."""
    others = (
        _vary(start, taught_half_life=0.0),
        _vary(start, k=start.k * 2),
        _vary(start, k=max(start.k // 2, 5)),
    )
    models = [bench.fit(recipe) for recipe in others]
    trials = [bench.try_out(model) for model in models]
    best = models[trials.index(_best(trials))]
    ageing = _vary(best.recipe, history_half_life=60.0)  # what it learns from stays the same
    return [*trials, bench.try_out(replace(best, recipe=ageing))]


def _vary(recipe: Recipe, **changes: float) -> Recipe:
    return msgspec.structs.replace(recipe, **changes)


def _best(trials: Sequence[Trial]) -> Trial:
    return max(trials, key=lambda trial: trial.value)
