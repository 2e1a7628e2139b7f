"""Gets items out of the catalogue."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from lingxi.catalogue.tables import item
from lingxi.schema import Item, Scalar
from lingxi.store.prepared import Prepared
from lingxi.store.tables import counter

BATCH = 500
FIELDS = tuple(field.name for field in msgspec.structs.fields(Item))
"""The fields of an item, which are columns of the table."""
REVISION = "catalogue"
"""Counter of the catalogue's changes."""

_COLUMNS = tuple(item.c[name] for name in FIELDS)
_GET_ITEMS = sa.select(*_COLUMNS).where(
    item.c.item_id.in_(sa.bindparam("item_ids", expanding=True))
)
_CHANGES = sa.select(*_COLUMNS).where(item.c.revision > sa.bindparam("after", type_=sa.BigInteger))
_REVISION = Prepared(sa.select(counter.c.value).where(counter.c.name == REVISION))
_PATH, _ATTRIBUTES = FIELDS.index("category_path"), FIELDS.index("attributes")
_read_path = msgspec.json.Decoder(tuple[str, ...]).decode
_read_attributes = msgspec.json.Decoder(dict[str, Scalar]).decode


def get_items(tx: sa.Connection, item_ids: Collection[str]) -> dict[str, Item]:
    """The items of these ids, removed ones too; unknown ids are left out."""
    found: dict[str, Item] = {}
    wanted = sorted(set(item_ids))
    for start in range(0, len(wanted), BATCH):
        rows = tx.execute(_GET_ITEMS, {"item_ids": wanted[start : start + BATCH]})
        found.update((row[0], to_item(row)) for row in rows)
    return found


def read_items(tx: sa.Connection) -> dict[str, Item]:
    """The whole catalogue by item id, removed items too."""
    return {row[0]: to_item(row) for row in tx.execute(sa.select(*_COLUMNS))}


def read_revision(tx: sa.Connection) -> int:
    """How often the catalogue has changed; the same as long as no item has."""
    row = _REVISION.first(tx)
    return 0 if row is None else int(row[0])


def read_changes(tx: sa.Connection, after: int) -> dict[str, Item]:
    """The items written since a revision, removed ones too, as they are now."""
    return {row[0]: to_item(row) for row in tx.execute(_CHANGES, {"after": after})}


def list_items(
    tx: sa.Connection, *, search: str = "", category: str = "", after: str = "", n: int = 50
) -> list[Item]:
    """Items in the order of their ids, past the id ``after``, at most ``n``; no removed ones.

    Every word of ``search`` stands in the id or the name, in any case.
    """
    query = sa.select(*_COLUMNS).where(item.c.item_id > after, ~item.c.removed)
    for word in search.split():
        found = (
            item.c.item_id.icontains(word, autoescape=True),
            item.c.name.icontains(word, autoescape=True),
        )
        query = query.where(sa.or_(*found))
    if category:
        query = query.where(item.c.category == category)
    return [to_item(row) for row in tx.execute(query.order_by(item.c.item_id).limit(n))]


def list_variants(tx: sa.Connection, group_id: str, *, n: int = 100) -> list[Item]:
    """The items of one group in the order of their ids; no removed ones."""
    query = sa.select(*_COLUMNS).where(item.c.group_id == group_id, ~item.c.removed)
    return [to_item(row) for row in tx.execute(query.order_by(item.c.item_id).limit(n))]


def count_items(tx: sa.Connection) -> int:
    """How many items there are, without those removed."""
    query = sa.select(sa.func.count()).select_from(item).where(~item.c.removed)
    return tx.execute(query).scalar_one()


def forget(_tx: sa.Connection, _customers: frozenset[int]) -> int:
    """The catalogue holds items, nobody's data: nothing to remove."""
    return 0


def to_item(row: Sequence[Any]) -> Item:
    """The item of a row whose first columns are ``FIELDS``."""
    values = list(row[: len(FIELDS)])
    values[_PATH] = _read_path(values[_PATH]) if values[_PATH] else ()
    values[_ATTRIBUTES] = _read_attributes(values[_ATTRIBUTES]) if values[_ATTRIBUTES] else {}
    return Item(**dict(zip(FIELDS, values, strict=True)))


def to_row(each: Item) -> dict[str, object]:
    """The columns of an item's row that are its own."""
    values: dict[str, object] = {name: getattr(each, name) for name in FIELDS}
    values["category_path"] = _write(each.category_path)
    values["attributes"] = _write(each.attributes)
    return values


def _write(value: tuple[str, ...] | Mapping[str, Scalar]) -> str | None:
    return msgspec.json.encode(value, order="sorted").decode() if value else None
