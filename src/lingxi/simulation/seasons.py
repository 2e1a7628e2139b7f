"""When things happen: the yearly, weekly and daily rhythm of the simulated shop."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.vocabulary import CATEGORIES

DAY = 86_400
WEEKDAYS = np.array([1.05, 1.0, 0.98, 1.02, 0.92, 0.85, 1.18])
HOURS = np.array(
    (
        *(0.4, 0.2, 0.1, 0.1, 0.1, 0.2, 0.6, 1.2, 1.8, 2.2, 2.5, 2.7),
        *(3.0, 2.9, 2.5, 2.3, 2.3, 2.5, 2.9, 3.6, 4.2, 4.0, 2.6, 1.1),
    )
)


@dataclass(frozen=True)
class Seasons:
    """The rhythm over the period: ``demand`` of each day, mean 1, shape (n_days,);
    ``category_demand`` factors around 1, shape (n_days, n_categories)."""

    demand: NDArray[np.float64]
    category_demand: NDArray[np.float64]

    @property
    def cumulative(self) -> NDArray[np.float64]:
        """Demand from the start to the beginning of each day; shape (n_days + 1,)."""
        return np.concatenate(([0.0], np.cumsum(self.demand)))

    def between(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
        """Demand-weighted days between two moments (seconds), cut to the period."""
        days = np.arange(len(self.demand) + 1)
        upper: NDArray[np.float64] = np.interp(high / DAY, days, self.cumulative)
        return np.maximum(upper - np.interp(low / DAY, days, self.cumulative), 0.0)

    def spread(
        self, low: NDArray[np.int64], high: NDArray[np.int64], shares: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Days on which a share of the demand between two moments has passed."""
        days = np.arange(len(self.demand) + 1)
        start = np.interp(low / DAY, days, self.cumulative)
        goal = start + shares * self.between(low, high)
        found: NDArray[np.int64] = np.interp(goal, self.cumulative, days).astype(np.int64)
        return found

    def draw_days(
        self, rng: np.random.Generator, n: int, weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.int64]:
        """Days of the period in proportion to demand, or to other weights of the same shape."""
        mass = np.cumsum(self.demand if weights is None else weights)
        drawn: NDArray[np.int64] = np.searchsorted(mass, rng.random(n) * mass[-1]).astype(np.int64)
        return drawn

    def draw_moments(self, rng: np.random.Generator, days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Moments (seconds) within the days, by the daily rhythm."""
        mass = np.concatenate(([0.0], np.cumsum(HOURS) / HOURS.sum()))
        hours = np.interp(rng.random(len(days)), mass, np.arange(25))
        return days * DAY + np.minimum((hours * 3_600).astype(np.int64), DAY - 1)


def make_seasons(start: datetime, days: int, n_categories: int) -> Seasons:
    """The rhythm of ``days`` days from ``start``: a Christmas peak, a quiet summer, busy Sundays.

    >>> from datetime import UTC
    >>> seasons = make_seasons(datetime(2025, 1, 1, tzinfo=UTC), 365, 12)
    >>> bool(seasons.demand[330:350].mean() > 1.5 * seasons.demand[200:220].mean())
    True
    """
    dates = [start + timedelta(days=i) for i in range(days)]
    of_year = np.array([d.timetuple().tm_yday for d in dates])
    weekday = np.array([d.weekday() for d in dates])
    around = np.abs((of_year - 338 + 182) % 365 - 182)
    yearly = 1.0 + 0.12 * np.cos(2 * np.pi * (of_year - 20) / 365)
    yearly += 0.9 * np.exp(-0.5 * (around / 16) ** 2)
    demand = yearly * WEEKDAYS[weekday]
    words = CATEGORIES[:n_categories]
    peaks = np.array([w.peak_day for w in words])
    swings = np.array([w.swing for w in words])
    waves = 1.0 + swings * np.cos(2 * np.pi * (of_year[:, None] - peaks) / 365)
    return Seasons(demand=demand / demand.mean(), category_demand=waves)
