"""Items of Gorse: the shop's catalogue."""

from typing import Annotated

from litestar import delete, get, patch, post, put
from litestar.params import JSONBody, QueryParameter

from lingxi.access.roles import Scope
from lingxi.catalogue import list_items, remove_items
from lingxi.gorse.feedback import take_back_item
from lingxi.gorse.items import change_category, has_item, patch_item, put_items, require_item
from lingxi.gorse.items import to_gorse as show
from lingxi.gorse.nouns import Item, ItemBody, ItemPage, ItemPatch
from lingxi.server.dependencies import AskShop
from lingxi.server.gorse.route import (
    Category,
    Cursor,
    ItemId,
    Number,
    Success,
    close_cursor,
    open_cursor,
    route,
)

Words = Annotated[str, QueryParameter(max_length=200, description="Words in id or comment.")]


@route(post, "/item", Scope.ITEMS_WRITE, "Insert an item")
def insert_item(shop: AskShop, data: JSONBody[ItemBody]) -> Success:
    """Make the item what the body says; price and stock, which Gorse does not know, stay."""
    with shop.store.write() as tx:
        return Success(put_items(shop.store, tx, [data], shop.clock.now()))


@route(post, "/items", Scope.ITEMS_WRITE, "Insert items")
def insert_items(shop: AskShop, data: JSONBody[list[ItemBody]]) -> Success:
    """Make the items what the bodies say, all or none."""
    with shop.store.write() as tx:
        return Success(put_items(shop.store, tx, data, shop.clock.now()))


@route(get, "/item/{item_id:str}", Scope.ITEMS, "Get an item")
def read_item(shop: AskShop, item_id: ItemId) -> Item:
    """One item; 404 where there is none."""
    with shop.store.read() as tx:
        return show(require_item(tx, item_id))


@route(get, "/items", Scope.ITEMS, "Get items")
def read_items(shop: AskShop, n: Number = 10, cursor: Cursor = "", q: Words = "") -> ItemPage:
    """Items in the order of their ids, a page at a time; ``q``: only those with these words."""
    start = open_cursor(cursor, 1)
    with shop.store.read() as tx:
        after = str(start[0]) if start else ""
        found = list_items(tx, search=q, after=after, n=n + 1)
    page = found[:n]
    last = page[-1].item_id if len(found) > n and page else None
    return ItemPage(close_cursor(None if last is None else [last]), [show(i) for i in page])


@route(patch, "/item/{item_id:str}", Scope.ITEMS_WRITE, "Change an item")
def modify_item(shop: AskShop, item_id: ItemId, data: JSONBody[ItemPatch]) -> Success:
    """Set the fields that the body gives; as Gorse does, an item that is not there is no error."""
    with shop.store.write() as tx:
        patch_item(shop.store, tx, item_id, data, shop.clock.now())
    return Success(1)


@route(delete, "/item/{item_id:str}", Scope.ITEMS_WRITE, "Delete an item")
def delete_item(shop: AskShop, item_id: ItemId) -> Success:
    """Take the item out of the catalogue and its feedback back; old orders still know its name."""
    with shop.store.write() as tx:
        if has_item(tx, item_id):
            remove_items(shop.store, tx, [item_id], shop.clock.now())
    take_back_item(shop.store, item_id)
    return Success(1)


@route(put, "/item/{item_id:str}/category/{category:str}", Scope.ITEMS_WRITE, "Add a category")
def insert_category(shop: AskShop, item_id: ItemId, category: Category) -> Success:
    """Put an item into one category more; 404 where there is no such item."""
    with shop.store.write() as tx:
        change_category(shop.store, tx, item_id, category, shop.clock.now(), present=True)
    return Success(1)


@route(
    delete, "/item/{item_id:str}/category/{category:str}", Scope.ITEMS_WRITE, "Remove a category"
)
def delete_category(shop: AskShop, item_id: ItemId, category: Category) -> Success:
    """Take an item out of a category; 404 where there is no such item."""
    with shop.store.write() as tx:
        change_category(shop.store, tx, item_id, category, shop.clock.now(), present=False)
    return Success(1)


ROUTES = [
    insert_item,
    insert_items,
    read_item,
    read_items,
    modify_item,
    delete_item,
    insert_category,
    delete_category,
]
