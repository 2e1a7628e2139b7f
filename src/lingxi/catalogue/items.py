"""Puts items into the catalogue and gets them back."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from lingxi.catalogue.tables import item
from lingxi.ingest import read_learnt
from lingxi.schema import Item
from lingxi.store.keyed import upsert

T = TypeVar("T")

_BATCH = 500
_SHOWN = ("item_id", "name", "category", "price_cents", "margin_cents", "stock", "brand", "active")
_GET_ITEMS = sa.select(*(item.c[name] for name in _SHOWN)).where(
    item.c.item_id.in_(sa.bindparam("item_ids", expanding=True))
)


def put_items(tx: sa.Connection, items: Iterable[Item], now: datetime) -> int:
    """Add or replace items that the shop's own feed lists; returns how many."""
    rows = [_to_row(each, now, listed=True) for each in items]
    for batch in _split(rows):
        upsert(tx, item, batch)
    return len(rows)


def learn_items(tx: sa.Connection, items: Iterable[Item], now: datetime) -> int:
    """Add or refresh items known only from order lines; items of a feed stay as they are.

    Returns how many were added or refreshed.
    """
    rows = {each.item_id: _to_row(each, now, listed=False) for each in items}
    query = sa.select(item.c.item_id).where(item.c.listed)
    for item_id in tx.execute(query).scalars():
        rows.pop(item_id, None)
    for batch in _split(list(rows.values())):
        upsert(tx, item, batch)
    return len(rows)


def get_items(tx: sa.Connection, item_ids: Collection[str]) -> dict[str, Item]:
    """The items of these ids; unknown ids are left out."""
    found: dict[str, Item] = {}
    for batch in _split(sorted(set(item_ids))):
        rows = tx.execute(_GET_ITEMS, {"item_ids": batch}).all()
        found |= {row[0]: Item(**dict(zip(_SHOWN, row, strict=True))) for row in rows}
    return found


def read_items(tx: sa.Connection) -> dict[str, Item]:
    """The whole catalogue by item id."""
    query = sa.select(*(item.c[name] for name in _SHOWN))
    return {row["item_id"]: Item(**row) for row in tx.execute(query).mappings()}


def learn_from_orders(tx: sa.Connection, now: datetime) -> int:
    """Take over what imported order lines have shown: usual name and latest price, stock unknown.

    Only items that are new or have changed are written; returns how many.
    """
    known = read_items(tx)
    fresh = []
    for each in read_learnt(tx):
        old = known.get(each.item_id)
        if old is None or (old.name, old.price_cents) != (each.name, each.price_cents):
            fresh.append(Item(item_id=each.item_id, name=each.name, price_cents=each.price_cents))
    return learn_items(tx, fresh, now)


def list_items(
    tx: sa.Connection, *, search: str = "", category: str = "", after: str = "", n: int = 50
) -> list[Item]:
    """Items in the order of their ids, past the id ``after``, at most ``n``.

    Every word of ``search`` stands in the id or the name, in any case.
    """
    query = sa.select(*(item.c[name] for name in _SHOWN)).where(item.c.item_id > after)
    for word in search.split():
        found = (
            item.c.item_id.icontains(word, autoescape=True),
            item.c.name.icontains(word, autoescape=True),
        )
        query = query.where(sa.or_(*found))
    if category:
        query = query.where(item.c.category == category)
    rows = tx.execute(query.order_by(item.c.item_id).limit(n)).mappings()
    return [Item(**row) for row in rows]


def count_items(tx: sa.Connection) -> int:
    """How many items there are."""
    return tx.execute(sa.select(sa.func.count()).select_from(item)).scalar_one()


def forget(_tx: sa.Connection, _customers: frozenset[int]) -> int:
    """The catalogue holds items, nobody's data: nothing to remove."""
    return 0


def _to_row(each: Item, now: datetime, *, listed: bool) -> Mapping[str, object]:
    values: dict[str, object] = {name: getattr(each, name) for name in _SHOWN}
    return values | {"listed": listed, "updated_at": now}


def _split(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
