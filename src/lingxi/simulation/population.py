"""The people of the simulated shop, with what drives them: the truth no pipeline may see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.assortment import STYLES
from lingxi.simulation.seasons import Seasons
from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.vocabulary import CATEGORIES, COUNTRIES, FIRST_NAMES, LAST_NAMES

DAY = 86_400
VISIT_SHAPE = 1.3
LEAVE_SHAPE = 1.6


@dataclass(frozen=True)
class Population:
    """People as parallel arrays: customers first, then visitors who never register.

    Times are seconds from the start of the period; ``arrivals`` is below 0 for those who
    registered before it. ``leaves`` is when the person is gone for good, by hazard alone.
    ``tastes`` has shape (n_people, n_categories) and rows that add up to 1; ``styles`` has shape
    (n_people, STYLES). ``eagerness`` is the log odds that a visit ends in an order.
    """

    n_customers: int
    arrivals: NDArray[np.int64]
    leaves: NDArray[np.int64]
    visits_per_day: NDArray[np.float64]
    leave_rates: NDArray[np.float64]
    one_time: NDArray[np.bool_]
    eagerness: NDArray[np.float64]
    price_sensitivities: NDArray[np.float64]
    tastes: NDArray[np.float64]
    styles: NDArray[np.float32]
    bulk: NDArray[np.int64]
    countries: NDArray[np.int64]
    first_names: NDArray[np.int64]
    last_names: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Customers and visitors together."""
        return len(self.arrivals)


def _draw_arrivals(
    settings: SimulationSettings, seasons: Seasons, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Registration times: a few before the period, the rest in a growing, seasonal stream."""
    n = settings.customers
    growth = np.linspace(1.0, 1.3, settings.calendar_days)
    days = seasons.draw_days(rng, n, weights=seasons.demand * growth)
    moments = _keep_within(seasons.draw_moments(rng, days), settings)
    before = -(rng.random(n) * 365 * DAY).astype(np.int64) - 1
    return np.where(rng.random(n) < settings.established_share, before, moments)


def _keep_within(moments: NDArray[np.int64], settings: SimulationSettings) -> NDArray[np.int64]:
    """Moments after the end, on its own day, put a day earlier."""
    return np.where(moments < settings.seconds, moments, moments - DAY)


def _draw_tastes(n: int, n_categories: int, rng: np.random.Generator) -> NDArray[np.float64]:
    shares = np.array([w.share for w in CATEGORIES[:n_categories]])
    raw = rng.standard_gamma(4.0 * shares / shares.sum(), (n, n_categories)) + 1e-4
    tastes: NDArray[np.float64] = raw / raw.sum(axis=1, keepdims=True)
    return tastes


def draw_population(
    settings: SimulationSettings, seasons: Seasons, n_categories: int, rng: np.random.Generator
) -> Population:
    """Draw customers and visitors.

    Customers live and leave as in the Pareto/NBD model: visits are Poisson with a gamma
    distributed rate, the time to leave is exponential with a gamma distributed rate.

    Source
    ------
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1), assumptions 1 to 5.
    """
    n = settings.customers
    visitors = round(settings.visitors_per_customer * n)
    people = n + visitors
    known = np.arange(people) < n
    visits = rng.gamma(VISIT_SHAPE, settings.visits_per_month / 30 / VISIT_SHAPE, people)
    leave_rates = rng.gamma(LEAVE_SHAPE, 1 / settings.lifetime_days / LEAVE_SHAPE, people)
    leave_rates = np.where(known, leave_rates, 1 / 12)
    strangers = seasons.draw_moments(rng, seasons.draw_days(rng, visitors))
    arrivals = _draw_arrivals(settings, seasons, rng)
    arrivals = np.concatenate((arrivals, _keep_within(strangers, settings)))
    lifetimes = np.minimum(rng.standard_exponential(people) / leave_rates, 1e5)
    weights = np.array([share for _, share in COUNTRIES])
    return Population(
        n_customers=n,
        arrivals=arrivals,
        leaves=np.maximum(arrivals, 0) + (lifetimes * DAY).astype(np.int64) + 1,
        visits_per_day=np.where(known, visits, 0.04),
        leave_rates=leave_rates,
        one_time=known & (arrivals >= 0) & (rng.random(people) < settings.one_time_share),
        eagerness=np.where(known, -0.9 + 0.7 * rng.standard_normal(people), -2.2),
        price_sensitivities=np.exp(rng.normal(0.0, 0.5, people)),
        tastes=_draw_tastes(people, n_categories, rng),
        styles=rng.normal(size=(people, STYLES)).astype(np.float32),
        bulk=np.where(known & (rng.random(people) < 0.03), rng.integers(4, 13, people), 1),
        countries=rng.choice(len(COUNTRIES), people, p=weights / weights.sum()),
        first_names=rng.integers(0, len(FIRST_NAMES), people),
        last_names=rng.integers(0, len(LAST_NAMES), people),
    )
