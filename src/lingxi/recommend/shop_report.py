"""How good the recommender is on the shop's own data: fitted on the past, asked about what came."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from lingxi.errors import NotEnoughData
from lingxi.recommend.dataset import Dataset
from lingxi.recommend.families import make_recipe
from lingxi.recommend.interactions import Interactions
from lingxi.recommend.matrix import row_lengths
from lingxi.recommend.measures import ModelQuality, ShopReport
from lingxi.recommend.recipe import Recipe
from lingxi.recommend.report import (
    ITEM_KNN,
    POPULARITY,
    Wish,
    compare_pairs,
    measure_model,
)
from lingxi.recommend.windows import Window, split_by_time

MOST_ASKED = 2_000
FEWEST_ASKED = 30
BASELINES = (POPULARITY, ITEM_KNN)


def report_shop(
    interactions: Interactions,
    chosen: Recipe | None,
    now: datetime,
    *,
    seed: int,
    tell: Callable[[str], None] = lambda _text: None,
) -> ShopReport:
    """Measure the recipe in use beside popularity and item-based neighbours.

    The recipe was chosen on an earlier window, so the window that is asked about is new to it.

    Raises
    ------
    NotEnoughData
        If the data has no room for a split, or fewer than 30 customers can be asked.
    """
    split = split_by_time(interactions)
    rng = np.random.default_rng(seed)
    data = cut_dataset(split.outer, rng)
    recipes = list_recipes(chosen)
    wish = Wish(at=(10, 20), seed=seed)
    found, evaluations = [], {}
    for recipe in recipes:
        tell(recipe.name)
        model, evaluations[recipe.name] = measure_model(data, recipe, wish, rng)
        found.append(
            ModelQuality(
                name=recipe.name,
                chosen=recipe is recipes[0],
                baseline=recipe.name in BASELINES,
                params=dict(recipe.params),
                measures=model.measures,
                fit_seconds=model.fit_seconds,
                customers_per_second=model.customers_per_second,
            )
        )
    first = recipes[0].name
    over = {
        name: compare_pairs(evaluations[first], evaluations[name], rng)
        for name in BASELINES
        if name != first
    }
    return ShopReport(
        made_at=now,
        data_from=interactions.first_moment,
        cutoff=split.outer.cutoff,
        data_to=interactions.last_moment,
        customers=data.asked.n_rows,
        items=data.taught.n_items,
        events=len(data.taught.items),
        wanted=int(data.wanted.nnz),
        repeats=split.outer.repeats,
        lengths=wish.at,
        chosen=first,
        models=tuple(found),
        over=over,
    )


def list_recipes(chosen: Recipe | None) -> Sequence[Recipe]:
    """The recipe in use (rp3beta before the first training), then the baselines that it is not."""
    first = chosen or make_recipe("rp3beta")
    return [first, *(make_recipe(name) for name in BASELINES if name != first.name)]


def cut_dataset(window: Window, rng: np.random.Generator) -> Dataset:
    """A window as a data set: at most 2,000 customers with something to find.

    Raises
    ------
    NotEnoughData
        If there are fewer than 30.
    """
    rows = np.flatnonzero(row_lengths(window.wanted) > 0)
    if len(rows) < FEWEST_ASKED:
        raise NotEnoughData(
            f"Only {len(rows)} customers bought something new in the last days of the data; "
            f"a report takes at least {FEWEST_ASKED}."
        )
    if len(rows) > MOST_ASKED:
        rows = np.sort(rng.choice(rows, MOST_ASKED, replace=False))
    taught = window.before.histories()
    customers = window.before.customers[rows].tolist()
    return Dataset(
        taught=taught,
        asked=taught.take(rows),
        wanted=window.wanted[rows],
        customer_ids=tuple(str(customer) for customer in customers),
        item_ids=window.before.item_ids,
        notes=(),
        barred=window.bought[rows],
    )
