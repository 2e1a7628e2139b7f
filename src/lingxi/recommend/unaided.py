"""Choosing a model without a shop around it: histories in, recipe and reason out."""

from dataclasses import dataclass

import numpy as np

from lingxi.errors import NotEnoughData
from lingxi.recommend.auto import search
from lingxi.recommend.bench import Trial, most_asked, split_inside
from lingxi.recommend.families import make_recipe
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import row_lengths
from lingxi.recommend.recipe import Recipe

FEWEST_ASKED = 20
"""Customers asked on a part held back, below which models are not compared."""
_NARROW = 2_000
"""Items up to which EASE is fitted in a moment."""


@dataclass(frozen=True)
class Picked:
    """A recipe, why it was chosen, and everything it was compared with."""

    recipe: Recipe
    why: str
    trials: tuple[Trial, ...] = ()


def pick(taught: Histories, *, seconds: float, seed: int, include_seen: bool = False) -> Picked:
    """The best recipe on a part of the histories that is held back, within ``seconds``."""
    rng = np.random.default_rng(seed)
    try:
        bench = split_inside(
            taught,
            rng=rng,
            most=most_asked(taught.n_items, seconds),
            metric="ndcg@10",
            include_seen=include_seen,
        )
        if bench.asked.n_rows < FEWEST_ASKED:
            raise NotEnoughData("too few customers")
    except NotEnoughData:
        return Picked(make_untried(taught), "There is too little data to compare models.")
    found = search(bench, seconds)
    tried = len({trial.recipe.name for trial in found.trials})
    why = (
        f"Of {tried} models it had the highest {bench.metric} for {bench.asked.n_rows} customers "
        "on a part of the data held back."
    )
    return Picked(found.recipe, why, found.trials)


def make_untried(taught: Histories) -> Recipe:
    """What to fit where there is too little to compare models: popularity if nobody met two items.

    Else EASE, or what like customers have where items are many: of samples of 3 to 40 customers of
    a shop, a site of ratings and one of places neither was worse than popularity, and from 10 on
    better by a third where tastes differ. Item-kNN was worse than popularity.
    """
    if not (row_lengths(taught.seen()) > 1).any():
        return make_recipe("popularity")
    return make_recipe("ease" if taught.n_items <= _NARROW else "user_cosine")
