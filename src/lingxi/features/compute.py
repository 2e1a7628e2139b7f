"""Features of all customers as of any moment, from lake and tail."""

from collections.abc import Collection, Iterable
from datetime import datetime

import pyarrow as pa

from lingxi.errors import InvalidInput
from lingxi.features.query import (
    CATEGORIES_NAME,
    CUSTOMERS,
    CUSTOMERS_NAME,
    DAY,
    DAY_NAME,
    MOMENT_NAME,
    PRICES_NAME,
    build_categories,
    build_features,
    build_prices,
    build_tracked,
    run,
    tell_moment,
)
from lingxi.features.registry import get_features
from lingxi.features.shop import ShopFacts, collect_tracked, start_of_day
from lingxi.store import Analytics


def read_shop(analytics: Analytics, as_of: datetime) -> ShopFacts:
    """What the shop recorded before the day of ``as_of``."""
    midnight = start_of_day(as_of)
    analytics.register(DAY_NAME, pa.table({"midnight": [midnight]}, schema=DAY))
    return ShopFacts(
        midnight=midnight,
        tracked=collect_tracked(run(analytics.connection, build_tracked)),
        prices=run(analytics.connection, build_prices),
        categories=run(analytics.connection, build_categories),
    )


def compute_features(
    analytics: Analytics,
    as_of: datetime,
    *,
    names: Iterable[str] | None = None,
    customers: Collection[int] | None = None,
) -> pa.Table:
    """Features of known customers, by what had happened up to ``as_of`` (event time).

    Parameters
    ----------
    as_of
        An aware moment; events at that very moment count.
    names
        The features wanted, in this order; all without it.
    customers
        Only these customers; all without it.

    Returns
    -------
    One row per known customer with at least one event, sorted by ``customer`` (int64), then a
    column per feature: float64, or string for words. Null means that it cannot be known.

    Raises
    ------
    UnknownFeature
        If there is no feature of a name.
    InvalidInput
        If ``as_of`` has no time zone.
    """
    wanted = tuple(feature.name for feature in get_features(names))
    if as_of.tzinfo is None:
        raise InvalidInput(f"The moment {as_of} has no time zone; give one in UTC.")
    shop = read_shop(analytics, as_of)
    analytics.register(MOMENT_NAME, tell_moment(as_of, shop.tracked))
    analytics.register(PRICES_NAME, shop.prices)
    analytics.register(CATEGORIES_NAME, shop.categories)
    if customers is not None:
        chosen = pa.table({"wanted": sorted(customers)}, schema=CUSTOMERS)
        analytics.register(CUSTOMERS_NAME, chosen)
    return run(analytics.connection, build_features, wanted, customers is not None)
