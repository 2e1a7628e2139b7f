"""Items as of any moment: read from the events of their changes, which the log keeps."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.catalogue.events import prefix_of, read_item_id
from lingxi.catalogue.items import get_items
from lingxi.schema import Event, Item, Name
from lingxi.store.codec import from_row
from lingxi.store.tables import NAMED, event, from_micros

_PRICES = (Name.ITEM_ADDED.value, Name.ITEM_PRICE_CHANGED.value)
_STOCKS = (Name.ITEM_ADDED.value, Name.ITEM_STOCK_CHANGED.value)
_SALES = (Name.ITEM_ADDED.value, Name.ITEM_REMOVED.value)


class Moved(msgspec.Struct, frozen=True):
    """From ``at`` on the value was ``value``; ``None``: unknown, or not on sale."""

    at: datetime
    value: int | None


def list_item_events(tx: sa.Connection, item_id: str, *, n: int = 10_000) -> list[Event]:
    """What happened to an item, the latest ``n`` changes, oldest first."""
    prefix = prefix_of(item_id)
    query = (
        sa.select(event.c.position, event.c.payload)
        .where(event.c.event_id >= prefix, event.c.event_id < prefix[:-1] + ";", NAMED)
        .order_by(event.c.event_id.desc())
        .limit(n)
    )
    found = [from_row(row[0], row[1]) for row in tx.execute(query)]
    return sorted(found, key=lambda each: (each.occurred_at, each.position))


def price_history(tx: sa.Connection, item_id: str, *, n: int = 10_000) -> list[Moved]:
    """The price in cents from each change on, oldest first; empty for an unknown item."""
    return _follow(list_item_events(tx, item_id, n=n), _PRICES, "price_cents")


def stock_history(tx: sa.Connection, item_id: str, *, n: int = 10_000) -> list[Moved]:
    """The units on hand from each change on, oldest first; empty for an unknown item."""
    return _follow(list_item_events(tx, item_id, n=n), _STOCKS, "stock")


def first_added(tx: sa.Connection) -> dict[str, datetime]:
    """When each item was first in the catalogue; one pass over the items' events, not the log."""
    query = (
        sa.select(event.c.event_id, event.c.occurred_at)
        .where(event.c.event_id >= "item:", event.c.event_id < "item;", NAMED)
        .where(event.c.name == Name.ITEM_ADDED.value)
    )
    found: dict[str, int] = {}
    for event_id, at in tx.execute(query):
        item_id = read_item_id(event_id)
        found[item_id] = min(at, found.get(item_id, at))
    return {item_id: from_micros(at) for item_id, at in found.items()}


def item_as_of(tx: sa.Connection, item_id: str, moment: datetime) -> Item | None:
    """The item as it was at ``moment``: on sale or not, price, stock; nothing before it was added.

    Name, category and the rest are those of today: their history is not kept.
    """
    item = get_items(tx, [item_id]).get(item_id)
    if item is None:
        return None
    happened = list_item_events(tx, item_id)
    sales = [e for e in happened if e.name in _SALES]
    past = [e for e in sales if e.occurred_at <= moment]
    if past:
        latest = past[-1]
        active = latest.name == Name.ITEM_ADDED.value and bool(latest.properties["active"])
    elif sales and sales[0].name == Name.ITEM_ADDED.value:
        return None
    else:
        active = bool(sales) or item.active
    return msgspec.structs.replace(
        item,
        active=active,
        removed=item.removed and not active,
        price_cents=_as_of(happened, _PRICES, "price_cents", moment, item.price_cents),
        stock=_as_of(happened, _STOCKS, "stock", moment, item.stock),
    )


def _follow(happened: Sequence[Event], names: Sequence[str], field: str) -> list[Moved]:
    moved: list[Moved] = []
    for each in happened:
        if each.name in names:
            value = _new_value(each, field)
            if not moved or moved[-1].value != value:
                moved.append(Moved(each.occurred_at, value))
    return moved


def _as_of(
    happened: Sequence[Event],
    names: Sequence[str],
    field: str,
    moment: datetime,
    now: int | None,
) -> int | None:
    """The value at a moment: the latest change before it, else what the next one came from."""
    own = [e for e in happened if e.name in names]
    past = [e for e in own if e.occurred_at <= moment]
    if past:
        return _new_value(past[-1], field)
    later = [e for e in own if "old" in e.properties]
    return _number(later[0].properties["old"]) if later else now


def _new_value(each: Event, field: str) -> int | None:
    return _number(each.properties.get("new" if "new" in each.properties else field))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
