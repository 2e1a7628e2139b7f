"""The catalogue, written by the shop: one item, a part of one, many at once."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import delete, patch, post, put
from litestar.params import JSONBody

from lingxi.access.roles import Scope
from lingxi.app.shop import Shop
from lingxi.catalogue import ItemChange, apply_change, get_items, merge_items, remove_items
from lingxi.catalogue.change import convert_change
from lingxi.catalogue.write import Merge
from lingxi.errors import InvalidInput, UnknownItem
from lingxi.schema import Item
from lingxi.server.api.parameters import ItemId, check_id, read_id
from lingxi.server.api.write import write
from lingxi.server.dependencies import AskShop

MOST_ITEMS = 1_000


class ItemWritten(msgspec.Struct, frozen=True):
    """The item as it is now; ``added`` when it was not there before."""

    item: Item
    added: bool


class BulkProblem(msgspec.Struct, frozen=True):
    """Why one item of many was not written; ``place`` counts from 0."""

    place: int
    item_id: str | None
    message: str


class BulkWritten(msgspec.Struct, frozen=True):
    """What came of writing many items; those with a problem were left out, the others are there."""

    added: int
    changed: int
    unchanged: int
    problems: Sequence[BulkProblem]


class Bulk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Items to write: each an ``item_id`` and the fields to set, as for PATCH."""

    items: Annotated[list[dict[str, object]], msgspec.Meta(min_length=1, max_length=MOST_ITEMS)]


@write(put, "/v1/items/{item_id:path}", Scope.ITEMS_WRITE, "Put one item")
def put_item(shop: AskShop, item_id: ItemId, data: JSONBody[ItemChange]) -> ItemWritten:
    """Make the item what the body says; fields left out become unknown."""
    wanted = read_id("item_id", item_id)
    currency = shop.settings.shop.currency
    return _write_one(shop, wanted, lambda _: apply_change(Item(item_id=wanted), data, currency))


@write(patch, "/v1/items/{item_id:path}", Scope.ITEMS_WRITE, "Change one item")
def patch_item(shop: AskShop, item_id: ItemId, data: JSONBody[ItemChange]) -> ItemWritten:
    """Set the fields that the body names; the others stay as they are."""
    wanted = read_id("item_id", item_id)
    with shop.store.read() as tx:
        if wanted not in get_items(tx, [wanted]):
            raise UnknownItem(f"There is no item {wanted[:80]!r}; PUT makes one.")
    return _write_one(shop, wanted, _change(wanted, data, shop.settings.shop.currency))


@write(delete, "/v1/items/{item_id:path}", Scope.ITEMS_WRITE, "Remove one item")
def delete_item(shop: AskShop, item_id: ItemId) -> ItemWritten:
    """Take the item off sale for good; old orders still know its name."""
    wanted = read_id("item_id", item_id)
    with shop.store.write() as tx:
        if wanted not in get_items(tx, [wanted]):
            raise UnknownItem(f"There is no item {wanted[:80]!r}.")
        remove_items(shop.store, tx, [wanted], shop.clock.now())
        return ItemWritten(get_items(tx, [wanted])[wanted], added=False)


@write(post, "/v1/items:bulk", Scope.ITEMS_WRITE, "Put many items")
def post_items(shop: AskShop, data: JSONBody[Bulk]) -> BulkWritten:
    """Write up to 1000 items; one that cannot be written does not keep the others back."""
    merges: dict[str, Merge] = {}
    problems: list[BulkProblem] = []
    with shop.store.read() as tx:
        ids = [str(body.get("item_id")) for body in data.items]
        known = get_items(tx, ids)
    for place, body in enumerate(data.items):
        item_id: str | None = None
        try:
            given = body.get("item_id")
            item_id = check_id("item_id", given if isinstance(given, str) else "")
            fields = {name: value for name, value in body.items() if name != "item_id"}
            change = convert_change(fields)
            merge = _change(item_id, change, shop.settings.shop.currency)
            merge(known.get(item_id))
        except InvalidInput as error:
            problems.append(BulkProblem(place, item_id, str(error)))
        else:
            merges[item_id] = merge
    with shop.store.write() as tx:
        done = merge_items(shop.store, tx, merges, shop.clock.now())
    return BulkWritten(done.added, done.changed, done.unchanged, problems)


def _change(item_id: str, change: ItemChange, currency: str) -> Merge:
    return lambda old: apply_change(old or Item(item_id=item_id), change, currency)


def _write_one(shop: Shop, item_id: str, merge: Merge) -> ItemWritten:
    with shop.store.write() as tx:
        done = merge_items(shop.store, tx, {item_id: merge}, shop.clock.now())
        return ItemWritten(get_items(tx, [item_id])[item_id], added=bool(done.added))


ROUTES = [put_item, patch_item, delete_item, post_items]
