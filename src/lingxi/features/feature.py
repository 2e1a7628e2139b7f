"""The feature: one number or word about a customer, declared once for every engine."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import ibis

from lingxi.i18n import Sentence

Unit = Literal["days", "count", "cents", "share", "ratio", "nats", "weekday", "hour", "text"]
Expression = Callable[[ibis.Table], ibis.Value]


def divide(above: str, below: str) -> Expression:
    """One column over another; unknown where that is zero."""
    return lambda t: t[above] / t[below].nullif(0)


class Grain(StrEnum):
    """What one row of the table stands for that a feature is aggregated from."""

    ACTIVITY = "activity"
    """Customer, event name and window: counts and sums."""
    ORDERS = "orders"
    """A kept order, with the time since the one before it."""
    LINES = "lines"
    """A bought line of a kept order."""
    ITEMS = "items"
    """Customer and bought item."""
    SESSIONS = "sessions"
    """Customer and session."""
    BOUGHT_CATEGORIES = "bought_categories"
    """Customer and bought category."""
    VIEWED_CATEGORIES = "viewed_categories"
    """Customer and viewed category."""
    COUNTRIES = "countries"
    """A customer's last known country."""
    WEEKDAYS = "weekdays"
    """Customer and weekday of orders."""
    HOURS = "hours"
    """Customer and hour of orders."""
    PRICES = "prices"
    """A customer's place in the shop's prices."""
    CUSTOMER = "customer"
    """The customer, with the features named in ``needs``."""


@dataclass(frozen=True)
class Feature:
    """One feature.

    ``expression`` aggregates the table of its ``grain`` by customer; at the grain ``CUSTOMER`` it
    reads the features named in ``needs``. ``empty`` is the value of a customer without any row at
    the grain: zero where that is knowledge, nothing where it cannot be known. ``tracks`` names what
    the shop must have recorded at all (an event name, ``session`` or ``category``) before a zero
    counts as knowledge.

    >>> Feature("tenure_days", "days", Grain.ACTIVITY, lambda t: t.age_us.max()).dtype
    'float64'
    """

    name: str
    unit: Unit
    grain: Grain
    expression: Expression
    empty: int | None = None
    tracks: str | None = None
    needs: tuple[str, ...] = ()

    @property
    def dtype(self) -> Literal["float64", "string"]:
        """Words are strings, everything else is a double."""
        return "string" if self.unit == "text" else "float64"

    @property
    def label(self) -> Sentence:
        """Its name for people."""
        return Sentence(f"feature.{self.name}")

    @property
    def help(self) -> Sentence:
        """What it says, in one sentence."""
        return Sentence(f"feature.{self.name}.help")
