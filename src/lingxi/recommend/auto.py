"""Choosing a model by itself: tries models on a bench within a time budget, and says why."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lingxi.recommend.bench import Bench, Trial
from lingxi.recommend.families import FAMILIES, Params, make_recipe
from lingxi.recommend.recipe import Recipe

_CLIMBERS = 3
"""Models whose surroundings are searched, the best ones."""
_STEPS = 4
"""Rounds of that."""
_MARGIN = 1.3
"""A fit on everything takes longer than one on the bench, about as much."""


@dataclass(frozen=True)
class Found:
    """The recipe with the highest value on the bench, and all that was tried.

    ``skipped`` names models that had no time or lack what they need.
    """

    recipe: Recipe
    trials: tuple[Trial, ...]
    skipped: tuple[str, ...]
    seconds: float

    def best(self, name: str) -> Trial | None:
        """The best trial of one model, nothing where it was not tried."""
        return _best([trial for trial in self.trials if trial.recipe.name == name])


class _Watch:
    """Says whether there is time for one more fit, and for the final one after it."""

    def __init__(self, bench: Bench, seconds: float) -> None:
        self.start, self.seconds = time.monotonic(), seconds
        self._size = (bench.taught.n_rows, bench.taught.n_items, len(bench.taught.items))
        self._met: dict[str, float] = {}

    @property
    def used(self) -> float:
        return time.monotonic() - self.start

    def note(self, trial: Trial) -> None:
        self._met[trial.recipe.name] = max(trial.seconds, self._met.get(trial.recipe.name, 0.0))

    def estimate(self, name: str) -> float:
        return self._met.get(name, FAMILIES[name].cost(*self._size))

    def allows(self, name: str, best: Trial | None) -> bool:
        final = max(self.estimate(name), best.seconds if best else 0.0) * _MARGIN
        return self.used + self.estimate(name) + final <= self.seconds


def search(
    bench: Bench,
    seconds: float,
    *,
    names: Iterable[str] | None = None,
    tell: Callable[[str], None] = lambda _name: None,
) -> Found:
    """Try every model's first recipes, then the surroundings of the best, while there is time.

    Popularity is tried whatever the time. Of equal trials the earlier, so the simpler, wins.

    Parameters
    ----------
    seconds
        For the search and the final fit together.
    names
        Models to try; by default all that can be used here.
    tell
        Called with the name of each model as it is tried.
    """
    watch = _Watch(bench, seconds)
    trials: list[Trial] = []
    skipped: list[str] = []
    for name in names if names is not None else FAMILIES:
        family = FAMILIES[name]
        if not family.available or (family.timed and not bench.asked.timed):
            skipped.append(name)
            continue
        for start in _clean(family.starts, bench.taught.timed):
            if name != "popularity" and not watch.allows(name, _best(trials)):
                skipped.append(name)
                break
            tell(name)
            trials.append(_try(bench, watch, make_recipe(name, start)))
    for _ in range(_STEPS):
        fresh = _climb(bench, watch, trials, tell)
        trials += fresh
        if not fresh:
            break
    winner = _best(trials)
    recipe = winner.recipe if winner else make_recipe("popularity")
    return Found(recipe, tuple(trials), tuple(dict.fromkeys(skipped)), watch.used)


def _clean(starts: Sequence[Params], timed: bool) -> list[Params]:
    """First recipes that differ; where order is unknown, ageing makes no difference."""
    answer: list[Params] = []
    for start in starts:
        kept = {k: v for k, v in start.items() if timed or k not in _OF_TIME}
        if kept not in answer:
            answer.append(kept)
    return answer


_OF_TIME = frozenset(
    ("taught_half_life", "history_half_life", "position_decay", "trend", "trend_half_life")
)


def _try(bench: Bench, watch: _Watch, recipe: Recipe) -> Trial:
    trial, _ = bench.try_out(recipe)
    watch.note(trial)
    return trial


def _climb(
    bench: Bench, watch: _Watch, trials: Sequence[Trial], tell: Callable[[str], None]
) -> list[Trial]:
    """What lies around the best trial of each of the best models and was not tried."""
    bests = [_best([t for t in trials if t.recipe.name == name]) for name in FAMILIES]
    leaders = sorted((b for b in bests if b), key=lambda t: -t.value)[:_CLIMBERS]
    tried = [trial.recipe for trial in trials]
    fresh: list[Trial] = []
    for leader in leaders:
        for recipe in FAMILIES[leader.recipe.name].around(leader.recipe):
            if recipe in tried or not watch.allows(recipe.name, _best(trials)):
                continue
            tell(recipe.name)
            tried.append(recipe)
            fresh.append(_try(bench, watch, recipe))
    return fresh


def _best(trials: Sequence[Trial]) -> Trial | None:
    return max(trials, key=lambda trial: trial.value) if trials else None
