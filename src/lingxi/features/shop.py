"""What a feature needs to know of the whole shop: what it records, its prices, its categories.

All of it as of the start of the UTC day of the moment asked for: still only the past, and the
same for every moment of a day, so that one reading serves a day of online values.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import ibis
import pyarrow as pa

from lingxi.schema import Name

SESSION = "session"
TRACKED = (
    Name.PRODUCT_VIEWED.value,
    Name.PRODUCT_ADDED.value,
    Name.PRODUCTS_SEARCHED.value,
    Name.ORDER_REFUNDED.value,
    SESSION,
)
"""What a shop may or may not record; where it does not, zero is not knowledge."""
CATEGORISED = (Name.PRODUCT_VIEWED, Name.PRODUCT_ADDED, Name.PRODUCT_REMOVED)

PRICES = pa.schema([("price_cents", pa.int64()), ("lines", pa.int64())])
CATEGORIES = pa.schema([("item_id", pa.string()), ("item_category", pa.string())])


@dataclass(frozen=True)
class ShopFacts:
    """The shop before ``midnight``.

    ``tracked`` holds what it has recorded at least once; ``prices`` the sold lines per price
    (columns ``price_cents``, ``lines``); ``categories`` one category per item (``item_id``,
    ``item_category``), the alphabetically last where events disagree, so that the order of
    arrival does not matter.
    """

    midnight: datetime
    tracked: frozenset[str]
    prices: pa.Table
    categories: pa.Table


def start_of_day(moment: datetime) -> datetime:
    """Midnight UTC at or before ``moment``.

    >>> start_of_day(datetime(2026, 3, 1, 15, 30, tzinfo=UTC)).isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def select_tracked(past: ibis.Table) -> ibis.Table:
    """Event names (``name``), and whether any event had a session (``session``)."""
    return past.group_by("name").aggregate(session=past.session_id.notnull().any())


def select_prices(past: ibis.Table) -> ibis.Table:
    """Sold lines per price, anonymous baskets included."""
    sold = past.filter(past.name == Name.ORDER_COMPLETED.value, past.price_cents > 0)
    return sold.group_by("price_cents").aggregate(lines=sold.count())


def select_categories(past: ibis.Table) -> ibis.Table:
    """One category per item, from views and carts."""
    seen = past.filter(
        past.name.isin([name.value for name in CATEGORISED]),
        past.item_id.notnull(),
        past.category.notnull(),
    )
    return seen.group_by("item_id").aggregate(item_category=seen.category.max())


def collect_tracked(rows: pa.Table) -> frozenset[str]:
    """The set of recorded things from the rows of ``select_tracked``."""
    names = rows.column("name").to_pylist()
    sessions = rows.column("session").to_pylist()
    found = {str(name) for name in names if name in TRACKED}
    return frozenset(found | ({SESSION} if any(sessions) else set()))
