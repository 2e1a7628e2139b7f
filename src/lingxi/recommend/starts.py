"""What ``auto`` begins with, and in which order: what promises most for a second comes first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lingxi.recommend.bench import Bench
from lingxi.recommend.families import FAMILIES
from lingxi.recommend.family import Family, Params
from lingxi.recommend.memory import MOST_DENSE
from lingxi.recommend.regression import HEAD, share_of_head

AGAIN = 0.5
"""What one more first recipe of a model promises, as a share of what the one before did."""
OF_TIME = frozenset(
    ("taught_half_life", "history_half_life", "position_decay", "trend", "trend_half_life")
)
"""Parameters that make no difference where the order of events is not known."""
LEAST_SECONDS = 1e-3
"""What a trial is reckoned at, at least."""


@dataclass(frozen=True)
class Start:
    """One of a model's first recipes; ``number`` of them come before it."""

    family: Family
    params: Params
    number: int

    def expect(self, reached: float | None) -> float:
        """Expected gain, 1 for as good as the best.

        ``reached``: the model's best value so far as a share of the highest of all; nothing where
        it was not tried yet, when ``Family.gain`` stands for it.
        """
        gain = self.family.gain if reached is None else reached
        return gain * AGAIN**self.number


def find_starts(names: Iterable[str], bench: Bench) -> tuple[list[Start], dict[str, str]]:
    """The first recipes of the models that can be used on this bench, the simpler first.

    The second part says of each of the others why it cannot.
    """
    starts: list[Start] = []
    unfit: dict[str, str] = {}
    asked = set(names)
    for family in (family for name, family in FAMILIES.items() if name in asked):
        why = _find_obstacle(family, bench)
        if why:
            unfit[family.name] = why
            continue
        cleaned = _clean(family.starts, bench.asked.timed)
        starts += [Start(family, params, number) for number, params in enumerate(cleaned)]
    return starts, unfit


def rank_simplicity(name: str) -> int:
    """The place of a model in the order of simplicity, 0 for the simplest.

    >>> rank_simplicity("popularity"), rank_simplicity("ease") < rank_simplicity("blend")
    (0, True)
    """
    return _PLACES[name]


_PLACES = {name: place for place, name in enumerate(FAMILIES)}


def _find_obstacle(family: Family, bench: Bench) -> str:
    """Why the model cannot be used on this bench; nothing where it can."""
    if not family.available:
        return family.lacks
    if family.timed and not bench.asked.timed:
        return "the order of events is not known"
    if family.described and bench.taught.about is None:
        return "nothing is known of the items but what was done with them"
    if family.grouped and bench.taught.groups is None:
        return "the items' categories are not known"
    if family.dense and share_of_head(bench.taught.count_holders().astype(np.int64)) < HEAD:
        return f"the {MOST_DENSE} items most met hold less than {HEAD:.0%} of what was met"
    if family.repeats and bench.excluded.nnz > 0:
        return "items of the history are not to be recommended"
    return ""


def _clean(starts: Sequence[Params], timed: bool) -> list[Params]:
    """First recipes that differ; where order is unknown, ageing makes no difference."""
    answer: list[Params] = []
    for start in starts:
        kept = {k: v for k, v in start.items() if timed or k not in OF_TIME}
        if kept not in answer:
            answer.append(kept)
    return answer
