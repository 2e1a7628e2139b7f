"""What people look at and buy on a visit, and the visits that used-up goods bring about."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.assortment import Assortment
from lingxi.simulation.choice import choose_categories, choose_items
from lingxi.simulation.columns import Columns
from lingxi.simulation.population import DAY, Population
from lingxi.simulation.seasons import Seasons
from lingxi.simulation.visits import Visits, order_probabilities

REORDER_SHARE = 0.55
REORDER_BONUS = 2.6
FOCUS = 0.7
COMPANION_SHARE = 0.14
BOUGHT_SHARE = 0.6
ADDED_SHARE = 0.08


@dataclass(frozen=True)
class Market:
    """Who meets what, when: the three drawn worlds that behaviour depends on."""

    assortment: Assortment
    population: Population
    seasons: Seasons


@dataclass(frozen=True)
class Looks(Columns):
    """Product views as parallel arrays, in order of visit and time.

    ``visits`` indexes the visit, ``places`` counts from 0 within it, ``moments`` are seconds;
    ``added`` and ``bought`` say what became of the look and ``quantities`` how many units.
    """

    visits: NDArray[np.int64]
    places: NDArray[np.int64]
    moments: NDArray[np.int64]
    items: NDArray[np.int64]
    added: NDArray[np.bool_]
    bought: NDArray[np.bool_]
    quantities: NDArray[np.int64]


def _count_places(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, ... within each run of the given lengths.

    >>> _count_places(np.array([2, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)


def _draw_items(
    visits: Visits,
    of: NDArray[np.int64],
    places: NDArray[np.int64],
    market: Market,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Items looked at: most from the visit's own category, some that go with the one before."""
    people, days = visits.people[of], visits.days[of]
    tastes, seasons = market.population, market.seasons
    focus = choose_categories(tastes, seasons, visits.people, visits.days, rng)[of]
    stray = np.flatnonzero(rng.random(len(of)) > FOCUS)
    focus[stray] = choose_categories(tastes, seasons, people[stray], days[stray], rng)
    items = choose_items(market.assortment, tastes, people, focus, days, rng)
    came_for = (places == 0) & (visits.wanted[of] >= 0)
    items = np.where(came_for, visits.wanted[of], items)
    before = np.roll(items, 1)
    partner = market.assortment.companions[before]
    follows = (places > 0) & (rng.random(len(of)) < COMPANION_SHARE)
    follows &= market.assortment.launch_days[partner] <= days
    return np.where(follows, partner, items)


def browse(visits: Visits, market: Market, rng: np.random.Generator) -> Looks:
    """Draw what is looked at, put into the cart and bought on each visit."""
    counts = rng.geometric(0.36, visits.size) + visits.ordered * rng.integers(0, 4, visits.size)
    counts = np.minimum(counts, 25)
    of = np.repeat(np.arange(visits.size), counts)
    places = _count_places(counts)
    items = _draw_items(visits, of, places, market, rng)
    gaps = (8 + rng.standard_exponential(len(of)) * 40).astype(np.int64)
    passed = np.cumsum(gaps)
    origin = np.repeat((passed - gaps)[places == 0], counts)
    moments = visits.moments[of] + passed - origin
    keys = of * market.assortment.n_items + items
    fresh = np.zeros(len(of), bool)
    fresh[np.unique(keys, return_index=True)[1]] = True
    tried = rng.random(len(of))
    bought = visits.ordered[of] & fresh & (tried < BOUGHT_SHARE)
    chosen = np.bincount(of[bought], minlength=visits.size) > 0
    bought |= (places == 0) & (visits.ordered & ~chosen)[of]
    added = bought | (fresh & (tried > 1 - ADDED_SHARE))
    units = np.minimum(rng.geometric(0.62, len(of)), 12)
    quantities = units * market.population.bulk[visits.people[of]]
    return Looks(of, places, moments, items, added, bought, quantities)


def call_back(
    visits: Visits,
    looks: Looks,
    left: NDArray[np.int64],
    market: Market,
    end: int,
    rng: np.random.Generator,
) -> Visits:
    """Visits that come about because something bought earlier is used up.

    One replenishable line of an order brings, with ``REORDER_SHARE``, its customer back after
    about the item's cycle, unless the customer has left by then.
    """
    cycles = market.assortment.cycle_days[looks.items]
    known = visits.people[looks.visits] < market.population.n_customers
    lines = np.flatnonzero(looks.bought & (cycles > 0) & known)
    lines = lines[np.unique(looks.visits[lines], return_index=True)[1]]
    lines = lines[rng.random(len(lines)) < REORDER_SHARE]
    waits = cycles[lines] * np.exp(rng.normal(0.0, 0.18, len(lines)))
    people = visits.people[looks.visits[lines]]
    days = (visits.days[looks.visits[lines]] + np.maximum(waits, 1)).astype(np.int64)
    moments = market.seasons.draw_moments(rng, days)
    kept = moments < np.minimum(left[people], end)
    people, moments, lines = people[kept], moments[kept], lines[kept]
    bonus = np.full(len(people), REORDER_BONUS)
    chances = order_probabilities(market.population, market.seasons, people, moments // DAY, bonus)
    ordered = rng.random(len(people)) < chances
    return Visits(people, moments, ordered, np.zeros(len(people), bool), looks.items[lines])


def live(
    visits: Visits,
    left: NDArray[np.int64],
    market: Market,
    end: int,
    rng: np.random.Generator,
) -> tuple[Visits, Looks]:
    """All visits and looks, with the visits that earlier purchases call forth, generation by
    generation until the period is over."""
    looks = browse(visits, market, rng)
    latest, latest_looks = visits, looks
    while latest.size:
        latest = call_back(latest, latest_looks, left, market, end, rng)
        latest_looks = browse(latest, market, rng)
        shifted = replace(latest_looks, visits=latest_looks.visits + visits.size)
        visits, looks = visits.join(latest), looks.join(shifted)
    return visits, looks
