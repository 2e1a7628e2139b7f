"""Visits: when people come, whether they order, when they stop coming."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.columns import Columns
from lingxi.simulation.population import DAY, Population
from lingxi.simulation.seasons import Seasons

FIRST_VISIT_BONUS = 1.9
SEASON_PULL = 0.35


@dataclass(frozen=True)
class Visits(Columns):
    """Visits as parallel arrays, in order of person and time.

    ``moments`` are seconds from the start of the period; ``ordered`` says whether the visit ends in
    an order, ``first`` whether it is the one in which a customer registers; ``wanted`` is the item
    the person came for, or -1.
    """

    people: NDArray[np.int64]
    moments: NDArray[np.int64]
    ordered: NDArray[np.bool_]
    first: NDArray[np.bool_]
    wanted: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many visits."""
        return len(self.people)

    @property
    def days(self) -> NDArray[np.int64]:
        """The day of the period on which each visit falls."""
        return self.moments // DAY


def order_probabilities(
    population: Population,
    seasons: Seasons,
    people: NDArray[np.int64],
    days: NDArray[np.int64],
    bonus: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Probability that a visit ends in an order: a logit of eagerness, season and occasion."""
    season = SEASON_PULL * np.log(seasons.demand[days])
    logits = population.eagerness[people] + season + bonus
    result: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return result


def draw_visits(
    population: Population, seasons: Seasons, end: int, rng: np.random.Generator
) -> tuple[Visits, NDArray[np.int64]]:
    """Draw all visits that nothing else calls forth, and when each person really leaves.

    Each person comes first on arrival and then in a Poisson stream that follows demand, until the
    hazard of leaving strikes or, for one-time buyers, until the first order.

    Returns
    -------
    visits
        Before ``end`` (seconds).
    left
        Shape (n_people,): the second from which the person never comes again.
    """
    low = np.maximum(population.arrivals, 0)
    high = np.minimum(population.leaves, end)
    counts = rng.poisson(population.visits_per_day * seasons.between(low, high))
    people = np.repeat(np.arange(population.size), counts)
    days = seasons.spread(low[people], high[people], rng.random(len(people)))
    moments = seasons.draw_moments(rng, days)
    moments = np.maximum(moments, population.arrivals[people] + 3_600)
    comers = np.flatnonzero(population.arrivals >= 0)
    people = np.concatenate((comers, people))
    moments = np.concatenate((population.arrivals[comers], moments))
    first = np.arange(len(people)) < len(comers)
    kept = moments < np.minimum(population.leaves, end)[people]
    people, moments, first = people[kept], moments[kept], first[kept]
    rank = np.lexsort((moments, people))
    people, moments, first = people[rank], moments[rank], first[rank]
    registering = first & (people < population.n_customers)
    bonus = np.where(registering, FIRST_VISIT_BONUS, 0.0)
    chances = order_probabilities(population, seasons, people, moments // DAY, bonus)
    ordered = rng.random(len(people)) < chances
    visits = Visits(people, moments, ordered, registering, np.full(len(people), -1))
    left = _find_leaving(population, visits)
    return visits.take(moments < left[people]), left


def _find_leaving(population: Population, visits: Visits) -> NDArray[np.int64]:
    """The hazard's moment, or an hour after the first order for one-time buyers."""
    left = population.leaves.copy()
    buyers, index = np.unique(visits.people[visits.ordered], return_index=True)
    first_orders = visits.moments[visits.ordered][index]
    once = population.one_time[buyers]
    left[buyers[once]] = np.minimum(left[buyers[once]], first_orders[once] + 3_600)
    return left
