"""Items: the shop's catalogue in Gorse's terms, and back.

``Categories`` are the parts of the category path, ``Comment`` is the name, ``Timestamp`` the
moment from which the item is offered, ``IsHidden`` that it is off sale. Labels that are an object
of single values are the item's attributes, so that rules can use them; any other form is kept whole
in the attribute ``labels``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.catalogue import get_items, merge_items
from lingxi.catalogue.change import to_category
from lingxi.catalogue.tables import item as item_table
from lingxi.catalogue.write import Merge, learn_items
from lingxi.errors import InvalidInput, UnknownItem
from lingxi.gorse.moments import read_moment, show_moment
from lingxi.gorse.nouns import Item, ItemBody, ItemPatch, check_labels, read_identifier
from lingxi.ingest.learnt import LearntItem
from lingxi.ingest.puts import tidy, tidy_id
from lingxi.schema import Item as CatalogueItem
from lingxi.schema import Scalar
from lingxi.store import Store

LABELS = "labels"
_MOST_CATEGORIES = 100
_BLANK: Mapping[str, object] = {
    "active": True,
    "category": None,
    "category_path": (),
    "name": "",
    "available_from": None,
    "attributes": {},
    "removed": False,
}
"""What a body that says nothing makes of an item."""


def to_gorse(item: CatalogueItem) -> Item:
    """An item of the catalogue in Gorse's terms."""
    return Item(
        item_id=item.item_id,
        is_hidden=not item.active,
        categories=list(item.path) or None,
        timestamp=show_moment(item.available_from),
        labels=_to_labels(item.attributes),
        comment=item.name,
    )


def _to_labels(attributes: Mapping[str, Scalar]) -> object:
    whole = attributes.get(LABELS)
    if isinstance(whole, str):
        try:
            return msgspec.json.decode(whole)
        except msgspec.DecodeError:
            return whole
    return dict(attributes) or None


def _to_attributes(labels: object) -> dict[str, Scalar]:
    check_labels(labels)
    if labels is None:
        return {}
    if isinstance(labels, dict) and labels and LABELS not in labels:
        plain: dict[str, Scalar] = {
            str(name): value
            for name, value in labels.items()
            if isinstance(value, str | int | float | bool)
        }
        if len(plain) == len(labels):
            return plain
    return {LABELS: msgspec.json.encode(labels).decode()}


def _to_categories(given: Sequence[str]) -> dict[str, object]:
    if len(given) > _MOST_CATEGORIES:
        raise InvalidInput(f"Categories: at most {_MOST_CATEGORIES}, not {len(given)}.")
    found = (tidy_id(category) for category in given)
    return to_category(tuple(dict.fromkeys(each for each in found if each)))


def _change(old: CatalogueItem, body: ItemBody | ItemPatch) -> CatalogueItem:
    """The item with every field that the body gives; null leaves it as it is."""
    values: dict[str, object] = {"removed": False}
    if body.is_hidden is not None:
        values["active"] = not body.is_hidden
    if body.categories is not None:
        values |= _to_categories(body.categories)
    if body.timestamp is not None:
        values["available_from"] = read_moment(body.timestamp)
    if body.labels is not None:
        values["attributes"] = _to_attributes(body.labels)
    if body.comment is not None:
        values["name"] = tidy(body.comment) or ""
    return msgspec.structs.replace(old, **values)


def put_items(store: Store, tx: sa.Connection, bodies: Sequence[ItemBody], now: datetime) -> int:
    """Make items what the bodies say; price, stock and what else Gorse does not know stay.

    Raises
    ------
    InvalidInput
        If an id is empty, a moment cannot be read or labels are of no known form.
    """
    merges: dict[str, Merge] = {}
    for body in bodies:
        item_id = read_identifier("ItemId", body.item_id)
        blank: dict[str, object] = {
            "active": True,
            "category": None,
            "category_path": (),
            "name": "",
        }
        blank |= {"available_from": None, "attributes": {}, "removed": False}
        _change(CatalogueItem(item_id=item_id), body)  # what cannot be read is refused before
        merges[item_id] = _merge(item_id, body, _BLANK)
    merge_items(store, tx, merges, now)
    return len(bodies)


def _merge(
    item_id: str, body: ItemBody | ItemPatch, blank: Mapping[str, object] | None = None
) -> Merge:
    def merge(old: CatalogueItem | None) -> CatalogueItem:
        base = old or CatalogueItem(item_id=item_id)
        return _change(msgspec.structs.replace(base, **(blank or {})), body)

    return merge


def patch_item(
    store: Store, tx: sa.Connection, item_id: str, patch: ItemPatch, now: datetime
) -> bool:
    """Change fields of an item; whether there is such an item.

    Raises
    ------
    InvalidInput
        If a moment cannot be read or labels are of no known form.
    """
    wanted = read_identifier("ItemId", item_id)
    _change(CatalogueItem(item_id=wanted), patch)
    if not has_item(tx, wanted):
        return False
    merge_items(store, tx, {wanted: _merge(wanted, patch)}, now)
    return True


def change_category(
    store: Store, tx: sa.Connection, item_id: str, category: str, now: datetime, *, present: bool
) -> None:
    """Put an item into a category, or take it out of it.

    Raises
    ------
    UnknownItem
        If there is no such item.
    """
    item = require_item(tx, item_id)
    name = read_identifier("category", category)
    path = [each for each in item.path if each != name]
    if present:
        path = [*item.path] if name in item.path else [*item.path, name]
    patch = ItemPatch(categories=path)
    merge_items(store, tx, {item.item_id: _merge(item.item_id, patch)}, now)


def require_item(tx: sa.Connection, item_id: str) -> CatalogueItem:
    """An item of the catalogue that is not removed.

    Raises
    ------
    UnknownItem
        If there is none.
    """
    wanted = read_identifier("ItemId", item_id)
    found = get_items(tx, [wanted]).get(wanted)
    if found is None or found.removed:
        raise UnknownItem(f"There is no item {item_id[:80]!r}.")
    return found


def has_item(tx: sa.Connection, item_id: str) -> bool:
    """Whether the catalogue has an item that is not removed."""
    found = get_items(tx, [item_id]).get(item_id)
    return found is not None and not found.removed


def add_missing(store: Store, tx: sa.Connection, item_ids: Sequence[str], now: datetime) -> int:
    """Add items that feedback names and the catalogue lacks; how many."""
    wanted = list(dict.fromkeys(item_ids))
    known = get_items(tx, wanted)
    learnt = [LearntItem(each, "", None, now, now) for each in wanted if each not in known]
    return learn_items(store, tx, learnt, now).added


def list_latest(
    tx: sa.Connection, now: datetime, categories: Sequence[str] = ()
) -> list[tuple[str, datetime | None]]:
    """Items on offer in all these categories, the newest first, with the moment of each."""
    query = (
        sa.select(item_table.c.item_id)
        .where(item_table.c.active, ~item_table.c.removed)
        .order_by(item_table.c.available_from.desc().nulls_last(), item_table.c.item_id)
    )
    found = []
    ids = list(tx.execute(query).scalars())
    items = get_items(tx, ids)
    for item_id in ids:
        item = items[item_id]
        if item.is_offered(now) and set(categories) <= set(item.path):
            found.append((item_id, item.available_from))
    return found
