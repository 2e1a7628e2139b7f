"""What can be told of the recommender itself: its quality, what it shows of the shop, its items."""

from datetime import datetime

import msgspec

from lingxi.app.views import RecommendedItem
from lingxi.recommend.measures import ModelQuality as ModelQuality
from lingxi.recommend.measures import ShopReport as ShopReport


class ReportsView(msgspec.Struct, frozen=True):
    """Reports on the shop's own data, newest first; none before the first."""

    reports: tuple[ShopReport, ...]


class PopularityGroup(msgspec.Struct, frozen=True):
    """Items by popularity: ``head`` has the first 20 % of all events, ``tail`` the last 20 %.

    ``history``: share of what the customers asked did; ``shown``: share of the places of their
    lists.
    """

    name: str
    items: int
    history: float
    shown: float


class ShownItem(msgspec.Struct, frozen=True):
    """An item with the share of lists that hold it, and its rank by popularity, from 1."""

    item_id: str
    name: str
    category: str | None
    share: float
    popularity_rank: int


class ShownCategory(msgspec.Struct, frozen=True):
    """A category: its items on offer, and how many of them are in at least one list."""

    category: str | None
    items: int
    shown: int
    share: float


class CoverageView(msgspec.Struct, frozen=True):
    """What the lists of ``customers`` (drawn at random where there are more) show of the shop.

    ``gini`` is 0 where every item on offer has as many places as any other, 1 where one has all.
    """

    as_of: datetime
    model: str
    version: str
    customers: int
    length: int
    items: int
    shown: int
    gini: float
    groups: tuple[PopularityGroup, ...]
    most_shown: tuple[ShownItem, ...]
    categories: tuple[ShownCategory, ...]


class Neighbour(msgspec.Struct, frozen=True):
    """An item near another: ``together`` counts orders with both, ``lift`` is 1 for chance; nothing
    where they were never ordered together often enough to tell."""

    item: RecommendedItem
    together: int | None
    lift: float | None


class Tie(msgspec.Struct, frozen=True):
    """Two neighbours that are near each other as well, by their places (from 0)."""

    one: int
    other: int
    score: float


class NeighbourhoodView(msgspec.Struct, frozen=True):
    """An item with its neighbours, best first, and the ties among them."""

    item_id: str
    name: str
    category: str | None
    model: str
    currency: str
    neighbours: tuple[Neighbour, ...]
    ties: tuple[Tie, ...]
