"""How people choose: the utility of an item, and draws from it."""

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.assortment import STYLES, Assortment
from lingxi.simulation.population import Population
from lingxi.simulation.seasons import Seasons

CONSIDERED = 5
STYLE_WEIGHT = 0.9


def utility(
    assortment: Assortment,
    population: Population,
    people: NDArray[np.int64],
    items: NDArray[np.int64],
    days: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Systematic utility of items for people on days, in logits; the arrays broadcast.

    ``STYLE_WEIGHT · ⟨style, style⟩ / √STYLES − price sensitivity · log(price / category median)``:
    popularity and category enter where candidates are drawn.
    """
    weeks = np.clip(days // 7, 0, assortment.price_factors.shape[1] - 1)
    fit = np.zeros(np.broadcast(people, items).shape, np.float32)
    for k in range(STYLES):
        fit += population.styles[people, k] * assortment.styles[items, k]
    price = assortment.relative_log_prices[items, weeks]
    result: NDArray[np.float64] = STYLE_WEIGHT / np.sqrt(STYLES) * fit - (
        population.price_sensitivities[people] * price
    )
    return result


def choose_categories(
    population: Population,
    seasons: Seasons,
    people: NDArray[np.int64],
    days: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw a category for each person and day: taste times the category's season."""
    weights = population.tastes[people] * seasons.category_demand[days]
    np.cumsum(weights, axis=1, out=weights)
    goals = rng.random(len(people)) * weights[:, -1]
    chosen: NDArray[np.int64] = (weights < goals[:, None]).sum(axis=1)
    return chosen


def choose_items(
    assortment: Assortment,
    population: Population,
    people: NDArray[np.int64],
    categories: NDArray[np.int64],
    days: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw an item of the category for each person and day.

    A few candidates come to mind by popularity; among them the choice is a multinomial logit
    (the largest of utility plus Gumbel noise). Items not launched yet are not seen.

    Source
    ------
    McFadden (1974), Conditional logit analysis, and consideration sets drawn by popularity.
    """
    starts, mass = assortment.category_starts, assortment.cumulative
    low, high = mass[starts[categories]], mass[starts[categories + 1]]
    draws = low[:, None] + rng.random((len(people), CONSIDERED)) * (high - low)[:, None]
    candidates = np.searchsorted(mass, draws, side="right") - 1
    candidates = np.clip(
        candidates, starts[categories][:, None], starts[categories + 1][:, None] - 1
    )
    scores = utility(assortment, population, people[:, None], candidates, days[:, None])
    scores += rng.gumbel(size=scores.shape)
    scores[assortment.launch_days[candidates] > days[:, None]] = -np.inf
    rows = np.arange(len(people))
    best = scores.argmax(axis=1)
    chosen = candidates[rows, best]
    unseen = np.isneginf(scores[rows, best])
    return np.where(unseen, _best_sellers(assortment)[categories], chosen)


def _best_sellers(assortment: Assortment) -> NDArray[np.int64]:
    """The most popular item of each category; it is never a late launch."""
    starts = assortment.category_starts
    return np.array(
        [
            starts[k] + int(assortment.popularities[starts[k] : starts[k + 1]].argmax())
            for k in range(assortment.n_categories)
        ]
    )
