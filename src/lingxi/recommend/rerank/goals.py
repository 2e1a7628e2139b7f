"""What a list is to bring: clicks, orders or margin, with one knob.

A score ranks what a customer is likely to be interested in. Of ``score · P(order | look) · margin``
the knob takes as much as is wanted: 0 is interest alone (clicks), 0.5 adds how often a look at the
item becomes an order, 1 adds what the order leaves. Every factor belongs to the item alone, so a
score that is a sum over the history stays one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.item_table import ItemTable

Vector = NDArray[np.float64]

_PRIOR_VIEWS = 50.0
"""Views at the shop's average that every item is given on top of its own."""

_LEAST, _MOST = 0.1, 10.0
"""Bounds of each factor: no margin makes an item that nobody wants the first."""


@dataclass(frozen=True)
class Goal:
    """``aim``: 0 clicks, 0.5 orders, 1 margin, and anything between."""

    aim: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.aim <= 1.0:
            raise InvalidInput(f"The aim must be in [0, 1], but is {self.aim}.")

    @property
    def orders(self) -> float:
        """Exponent of the conversion factor.

        >>> [Goal(aim).orders for aim in (0.0, 0.25, 0.5, 1.0)]
        [0.0, 0.5, 1.0, 1.0]
        """
        return min(1.0, 2.0 * self.aim)

    @property
    def margin(self) -> float:
        """Exponent of the margin factor."""
        return max(0.0, 2.0 * self.aim - 1.0)


def find_goal_factors(table: ItemTable, goal: Goal) -> Vector:
    """What each item's score is multiplied by, shape (n_items,), 1 for the average item.

    ``conversion(i) = ((o_i + c ρ) / (v_i + c)) / ρ`` with o orders, v views, ρ the ratio of their
    sums, c a prior; 1 where the shop sends no views. ``margin(i)`` is the item's margin by the
    median of all; 1 where unknown. Each between 0.1 and 10, raised to its exponent.
    """
    factors = np.ones(len(table))
    if goal.orders:
        factors *= np.clip(_find_conversion(table), _LEAST, _MOST) ** goal.orders
    if goal.margin:
        margin = table.numbers("margin")
        positive = margin[margin > 0]
        if len(positive):
            ratio = np.where(np.isnan(margin), 1.0, margin / float(np.median(positive)))
            factors *= np.clip(ratio, _LEAST, _MOST) ** goal.margin
    return factors


def _find_conversion(table: ItemTable) -> Vector:
    views, orders = table.numbers("views", 0.0), table.numbers("orders", 0.0)
    if views.sum() <= 0 or orders.sum() <= 0:
        return np.ones(len(table))
    average = float(orders.sum() / views.sum())
    ratio: Vector = (orders + _PRIOR_VIEWS * average) / (views + _PRIOR_VIEWS) / average
    return ratio
