"""The catalogue of the simulated shop: what is sold, at what price, how it is liked."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lingxi.simulation.settings import SimulationSettings
from lingxi.simulation.vocabulary import BRANDS, CATEGORIES, COLOURS

STYLES = 3
"""Dimensions of the latent style that people and items share."""


@dataclass(frozen=True)
class Assortment:
    """Items as parallel arrays of length ``n_items``, sorted by category.

    ``popularities`` are sampling weights within the category; ``styles`` has shape (n_items,
    STYLES); ``price_factors`` has shape (n_items, n_weeks) and lies in (0, 1]: sales;
    ``launch_days`` is 0 for items that were always there; ``cycle_days`` is 0 for lasting goods;
    ``companions`` is the index of the item that goes with each.
    """

    item_ids: list[str]
    names: list[str]
    categories: NDArray[np.int64]
    brands: NDArray[np.int64]
    base_price_cents: NDArray[np.int64]
    margin_cents: NDArray[np.int64]
    stocks: NDArray[np.int64]
    popularities: NDArray[np.float64]
    styles: NDArray[np.float32]
    price_factors: NDArray[np.float64]
    launch_days: NDArray[np.int64]
    cycle_days: NDArray[np.int64]
    companions: NDArray[np.int64]
    n_categories: int

    @property
    def n_items(self) -> int:
        """How many items."""
        return len(self.item_ids)

    @cached_property
    def cumulative(self) -> NDArray[np.float64]:
        """Running sum of the popularities, with 0 in front; shape (n_items + 1,)."""
        return np.concatenate(([0.0], np.cumsum(self.popularities)))

    @cached_property
    def category_starts(self) -> NDArray[np.int64]:
        """Index of the first item of each category, with ``n_items`` at the end."""
        return np.searchsorted(self.categories, np.arange(self.n_categories + 1))

    @cached_property
    def relative_log_prices(self) -> NDArray[np.float64]:
        """Log price over the category's median log price; shape (n_items, n_weeks)."""
        logs = np.log(self.base_price_cents)
        medians = np.array(
            [np.median(logs[self.categories == k]) for k in range(self.n_categories)]
        )
        relative: NDArray[np.float64] = (logs - medians[self.categories])[:, None]
        return relative + np.log(self.price_factors)

    def price_cents(self, items: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
        """Prices of items on days of the period, in pence; the arrays broadcast."""
        factors = self.price_factors[items, np.clip(days // 7, 0, self.price_factors.shape[1] - 1)]
        return np.rint(self.base_price_cents[items] * factors).astype(np.int64)


def _name_items(categories: NDArray[np.int64], rng: np.random.Generator) -> list[str]:
    names: list[str] = []
    for category, n in zip(*np.unique(categories, return_counts=True), strict=True):
        words = CATEGORIES[category]
        stems = [f"{kind} {noun}" for kind in words.kinds for noun in words.nouns]
        every = [f"{colour} {stem}" for colour in COLOURS for stem in stems]
        order = rng.permutation(len(every))
        for i in range(n):
            again, place = divmod(i, len(every))
            name = every[order[place]]
            names.append(f"{name} No. {again + 1}" if again else name)
    return names


def _number_items(n: int, rng: np.random.Generator) -> list[str]:
    """Codes of five digits or more, every fourth with a capital letter: 20417 or 20417B."""
    numbers = 20_000 + np.sort(rng.choice(max(70_000, 4 * n), n, replace=False))
    letters = rng.integers(0, 6, n)
    lettered = rng.random(n) < 0.25
    codes = [
        f"{number}{'ABCDEF'[letter]}" if has else str(number)
        for number, letter, has in zip(numbers, letters, lettered, strict=True)
    ]
    return [codes[i] for i in rng.permutation(n)]


def _draw_sales(n: int, days: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Weekly price factors: an item is on sale about one week in twelve."""
    weeks = days // 7 + 1
    on_sale = rng.random((n, weeks)) < 1 / 12
    depths = rng.choice([0.9, 0.8, 0.7], (n, weeks))
    return np.where(on_sale, depths, 1.0)


def _choose_companions(
    categories: NDArray[np.int64], n_categories: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """For each item one other item, of the category that goes with its own."""
    n = len(categories)
    wanted = np.array([w.companion % n_categories for w in CATEGORIES[:n_categories]])
    companions = np.empty(n, np.int64)
    for category in range(n_categories):
        members = np.flatnonzero(categories == category)
        pool = np.flatnonzero(categories == wanted[category])
        picks = rng.integers(0, len(pool), len(members))
        clash = pool[picks] == members
        companions[members] = np.where(clash, pool[(picks + 1) % len(pool)], pool[picks])
    return companions


def draw_assortment(settings: SimulationSettings, rng: np.random.Generator) -> Assortment:
    """Draw the catalogue: names, prices, margins, styles, popularity, stock."""
    n = settings.items
    n_categories = min(len(CATEGORIES), n // 2)
    words = CATEGORIES[:n_categories]
    shares = np.sqrt([w.share for w in words])
    extra = rng.choice(n_categories, n - 2 * n_categories, p=shares / shares.sum())
    categories = np.sort(np.concatenate((np.repeat(np.arange(n_categories), 2), extra)))
    typical = np.array([w.price_pounds for w in words])[categories]
    pounds = typical * np.exp(rng.normal(0.0, 0.45, n))
    prices = np.maximum(np.rint(pounds * 2).astype(np.int64) * 50 - rng.choice([0, 1, 5], n), 95)
    ranks = np.empty(n)
    for category in range(n_categories):
        members = np.flatnonzero(categories == category)
        ranks[members] = rng.permutation(len(members)) + 1
    late = (rng.random(n) < 0.15) & (ranks > 1)
    cycles = np.array([w.cycle_days for w in words])[categories]
    stocks = rng.negative_binomial(1.2, 0.012, n)
    return Assortment(
        item_ids=_number_items(n, rng),
        names=_name_items(categories, rng),
        categories=categories,
        brands=rng.integers(0, len(BRANDS), n),
        base_price_cents=prices,
        margin_cents=np.rint(prices * rng.beta(8.0, 9.0, n)).astype(np.int64),
        stocks=np.where(rng.random(n) < 0.03, 0, stocks).astype(np.int64),
        popularities=ranks**-0.8,
        styles=rng.normal(size=(n, STYLES)).astype(np.float32),
        price_factors=_draw_sales(n, settings.calendar_days, rng),
        launch_days=np.where(late, rng.integers(0, settings.calendar_days, n), 0),
        cycle_days=np.where(rng.random(n) < 0.8, cycles, 0).astype(np.int64),
        companions=_choose_companions(categories, n_categories, rng),
        n_categories=n_categories,
    )
