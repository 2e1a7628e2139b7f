"""Items: the list, and one item with what is like it and what is bought with it."""

from litestar import Response, get
from litestar.params import FromPath

from lingxi.access import Scope
from lingxi.app.views import ItemsView, ItemView
from lingxi.server.api.parameters import (
    Cursor,
    Filter,
    Search,
    Sort,
    check_cursor,
    check_id,
    check_text,
)
from lingxi.server.dependencies import AskAnswers
from lingxi.server.pages.frame import AskFrame
from lingxi.server.pages.links import Address
from lingxi.server.pages.words import Words

_ROWS = 50


@get("/items", opt={"scope": Scope.ITEMS}, sync_to_thread=True)
def get_items(
    frame: AskFrame,
    answers: AskAnswers,
    search: Search = "",
    category: Filter = "",
    sort: Sort = "-revenue",
    cursor: Cursor = None,
) -> Response[str]:
    """The list of items."""
    filters = {
        "search": check_text("search", search).strip(),
        "category": check_text("category", category).strip(),
    }
    view = answers.items(**filters, sort=sort, cursor=check_cursor("cursor", cursor), n=_ROWS)
    if view.total == 0 and not any(filters.values()):
        return frame.page("items_empty.html")
    query = {**filters, "sort": "" if sort == "-revenue" else sort, "cursor": cursor or ""}
    context = {
        "view": view,
        "filters": filters,
        "sort": sort,
        "cursor": cursor,
        "filtered": any(filters.values()),
        "categories": sorted({row.category for row in view.rows if row.category}),
        "answer": answer_items(frame.words, view, filtered=any(filters.values())),
    }
    return frame.list_page("items.html", context, Address("/items", query))


@get("/items/{item_id:path}", opt={"scope": Scope.ITEMS}, sync_to_thread=True)
def get_item(frame: AskFrame, answers: AskAnswers, item_id: FromPath[str]) -> Response[str]:
    """One item."""
    view = answers.item(check_id("item_id", item_id.removeprefix("/")))
    return frame.page("item.html", {"view": view, "answer": answer_item(frame.words, view)})


def answer_items(words: Words, view: ItemsView, *, filtered: bool) -> str:
    """The list in one sentence."""
    if not view.total:
        return words.text("items.answer.none")
    return words.text("items.answer.filtered" if filtered else "items.answer.all", n=view.total)


def answer_item(words: Words, view: ItemView) -> str:
    """The item in one sentence: how it sells, and what it is bought with."""
    sold = words.text(
        "item.answer",
        n=view.item.orders,
        revenue=words.about(view.item.revenue_cents, view.currency),
    )
    if not view.bought_together:
        return sold
    best = max(view.bought_together, key=lambda other: other.confidence)
    together = words.text("item.answer.together", other=best.name, weight_share=best.confidence)
    return words.join(sold, together)


ROUTES = [get_items, get_item]
