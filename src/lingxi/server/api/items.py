"""The shop's items: a list, and one in full."""

from lingxi.access.roles import Scope
from lingxi.app.views import ItemsView, ItemView
from lingxi.server.api.parameters import (
    Cursor,
    Filter,
    ItemId,
    Rows,
    Search,
    Sort,
    check_cursor,
    check_text,
    read_id,
)
from lingxi.server.api.route import read
from lingxi.server.dependencies import AskAnswers


@read("/v1/items", Scope.ITEMS, "List of items")
def list_items(
    answers: AskAnswers,
    search: Search = "",
    category: Filter = "",
    sort: Sort = "-revenue",
    cursor: Cursor = None,
    n: Rows = 50,
) -> ItemsView:
    """Items that match every filter given, a page at a time."""
    return answers.items(
        search=check_text("search", search),
        category=check_text("category", category),
        sort=check_text("sort", sort),
        cursor=check_cursor("cursor", cursor),
        n=n,
    )


@read("/v1/items/{item_id:path}", Scope.ITEMS, "One item")
def get_item(answers: AskAnswers, item_id: ItemId) -> ItemView:
    """The item with its sales, similar items, and what is bought together with it."""
    return answers.item(read_id("item_id", item_id))


ROUTES = [list_items, get_item]
