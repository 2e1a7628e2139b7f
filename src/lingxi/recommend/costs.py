"""What another trial of a model takes, from what families say of themselves and trials took."""

from collections.abc import Sequence

import numpy as np

from lingxi.recommend.ageing import AGEINGS
from lingxi.recommend.bench import Bench, Trial
from lingxi.recommend.families import FAMILIES
from lingxi.recommend.family import Params
from lingxi.recommend.recipe import Recipe

MEETING = 3e-8
"""Seconds that a customer asked takes for each customer who met one of the same items, about."""
_KNOWN = 3
"""Trials after which what they took tells what others will take."""


class Costs:
    """Seconds of trials on a bench, each a fit and what asking takes.

    ``hearing``: the part of the bench by which it is decided how histories are heard.
    """

    def __init__(self, bench: Bench, hearing: Bench) -> None:
        taught = bench.taught
        self.size = taught.n_rows, taught.n_items, len(taught.items)
        self.by_name: dict[str, float] = {}
        """The slowest trial of each model so far, at the effort of its defaults."""
        heard = (1 + len(AGEINGS)) * hearing.asked.n_rows / bench.asked.n_rows
        self._looks = 1 + heard * bench.asked.timed
        self._meeting = MEETING * float(taught.count_holders()[bench.asked.items].sum())

    def note(self, trial: Trial) -> None:
        """Learn from a trial."""
        name, cost = trial.recipe.name, trial.seconds / _weigh_effort(trial.recipe)
        self.by_name[name] = max(cost, self.by_name.get(name, 0.0))

    def estimate(self, trials: Sequence[Trial], name: str, params: Params | None = None) -> float:
        """Seconds of one more trial: the slowest so far, or what the family says of a fit, and
        what asking takes; times the effort of such parameters."""
        effort = _weigh_effort(Recipe(name=name, params=dict(params or {})))
        family = FAMILIES[name]
        fresh = family.cost(*self.size) + family.asks * self._reckon_asking(trials)
        fresh += self._looks * self._meeting if family.meets else 0.0
        return self.by_name.get(name, fresh) * effort

    def _reckon_asking(self, trials: Sequence[Trial]) -> float:
        """Seconds that a trial takes beside its fit: what most of them took, once a few are known.

        Before, by what popularity took, which has nothing to fit.
        """
        others = [t for t in trials if t.recipe.name != "popularity"]
        if len(others) >= _KNOWN:
            return float(np.quantile([t.seconds - t.fit_seconds for t in others], 0.75))
        return self._looks * self.by_name.get("popularity", 0.0)


def _weigh_effort(recipe: Recipe) -> float:
    family = FAMILIES[recipe.name]
    return family.effort(family.read(recipe))
