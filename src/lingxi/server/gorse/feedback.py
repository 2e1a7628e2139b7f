"""Feedback of Gorse: events of the log."""

from collections.abc import Sequence

from litestar import delete, get, post, put
from litestar.params import JSONBody

from lingxi.access.roles import Scope
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput, UnknownCustomer, UnknownEvent
from lingxi.gorse.feedback import find_keys, put_feedback, read_body, take_back
from lingxi.gorse.history import list_feedback
from lingxi.gorse.items import add_missing
from lingxi.gorse.kinds import Kinds
from lingxi.gorse.nouns import Feedback, FeedbackBody, FeedbackPage
from lingxi.gorse.users import require_user
from lingxi.server.dependencies import AskShop
from lingxi.server.gorse.route import (
    Cursor,
    FeedbackType,
    ItemId,
    Number,
    Success,
    UserId,
    close_cursor,
    open_cursor,
    route,
)


@route(post, "/feedback", Scope.EVENTS_WRITE, "Insert feedback")
def insert_feedback(shop: AskShop, data: JSONBody[list[FeedbackBody]]) -> Success:
    """Add feedback; told again, its value is added. It counts in the very next recommendation."""
    return _put(shop, data, overwrite=False)


@route(put, "/feedback", Scope.EVENTS_WRITE, "Overwrite feedback")
def overwrite_feedback(shop: AskShop, data: JSONBody[list[FeedbackBody]]) -> Success:
    """Put feedback in place of what was told before of the same type, user and item."""
    return _put(shop, data, overwrite=True)


def _put(shop: Shop, bodies: Sequence[FeedbackBody], *, overwrite: bool) -> Success:
    now = shop.clock.now()
    kinds = Kinds.of(shop.settings.gorse)
    told = [read_body(body, kinds, now) for body in bodies]
    with shop.store.write() as tx:
        add_missing(shop.store, tx, [each.item_id for each in told], now)
        put_feedback(shop.store, tx, told, now, overwrite=overwrite)
    return Success(len(told))


@route(get, "/feedback", Scope.CUSTOMERS, "Get feedback")
def read_feedback(shop: AskShop, n: Number = 10, cursor: Cursor = "") -> FeedbackPage:
    """All feedback, a page at a time."""
    return _page(shop, n, cursor, None)


@route(get, "/feedback/{feedback_type:str}", Scope.CUSTOMERS, "Get feedback of a type")
def read_typed_feedback(
    shop: AskShop, feedback_type: FeedbackType, n: Number = 10, cursor: Cursor = ""
) -> FeedbackPage:
    """All feedback of one type, a page at a time."""
    return _page(shop, n, cursor, feedback_type)


def _page(shop: Shop, n: int, cursor: str, feedback_type: str | None) -> FeedbackPage:
    start = open_cursor(cursor, 3)
    after = None
    if start is not None:
        customer, kind, item_id = start
        if not isinstance(customer, int):
            raise InvalidInput("cursor is not one that this list gave; begin without it.")
        after = customer, str(kind), str(item_id)
    with shop.store.read() as tx:
        found, place = list_feedback(
            shop.store, tx, shop.clock.now(), feedback_type=feedback_type, after=after, n=n
        )
    return FeedbackPage(close_cursor(None if place is None else [*place]), found)


@route(
    get,
    "/feedback/{feedback_type:str}/{user_id:str}/{item_id:str}",
    Scope.CUSTOMERS,
    "Get feedback of a type between a user and an item",
)
def read_one(
    shop: AskShop, feedback_type: FeedbackType, user_id: UserId, item_id: ItemId
) -> Feedback:
    """One piece of feedback; 404 where there is none."""
    found = _list(shop, user_id=user_id, item_id=item_id, feedback_type=feedback_type)
    if not found:
        raise UnknownEvent("There is no such feedback.")
    return found[0]


@route(
    delete,
    "/feedback/{feedback_type:str}/{user_id:str}/{item_id:str}",
    Scope.EVENTS_WRITE,
    "Delete feedback of a type between a user and an item",
)
def delete_one(
    shop: AskShop, feedback_type: FeedbackType, user_id: UserId, item_id: ItemId
) -> Success:
    """Take feedback of one type back: nothing that is computed from now on knows of it."""
    return _delete(shop, user_id, item_id, feedback_type)


@route(
    get,
    "/feedback/{user_id:str}/{item_id:str}",
    Scope.CUSTOMERS,
    "Get feedback between a user and an item",
)
def read_between(shop: AskShop, user_id: UserId, item_id: ItemId) -> Sequence[Feedback]:
    """Feedback of every type between a user and an item."""
    return _list(shop, user_id=user_id, item_id=item_id)


@route(
    delete,
    "/feedback/{user_id:str}/{item_id:str}",
    Scope.EVENTS_WRITE,
    "Delete feedback between a user and an item",
)
def delete_between(shop: AskShop, user_id: UserId, item_id: ItemId) -> Success:
    """Take feedback of every type back: nothing that is computed from now on knows of it."""
    return _delete(shop, user_id, item_id, None)


def _delete(shop: Shop, user_id: str, item_id: str, feedback_type: str | None) -> Success:
    with shop.store.write() as tx:
        try:
            customer = require_user(tx, user_id)
        except UnknownCustomer:
            return Success(0)
        keys = find_keys(tx, customer, item_id, feedback_type)
        return Success(take_back(shop.store, tx, keys))


@route(get, "/user/{user_id:str}/feedback", Scope.CUSTOMERS, "Get a user's feedback")
def read_of_user(shop: AskShop, user_id: UserId) -> Sequence[Feedback]:
    """A user's feedback of every type."""
    return _list(shop, user_id=user_id)


@route(
    get,
    "/user/{user_id:str}/feedback/{feedback_type:str}",
    Scope.CUSTOMERS,
    "Get a user's feedback of a type",
)
def read_typed_of_user(
    shop: AskShop, user_id: UserId, feedback_type: FeedbackType
) -> Sequence[Feedback]:
    """A user's feedback of one type."""
    return _list(shop, user_id=user_id, feedback_type=feedback_type)


@route(get, "/item/{item_id:str}/feedback", Scope.CUSTOMERS, "Get an item's feedback")
def read_of_item(shop: AskShop, item_id: ItemId) -> Sequence[Feedback]:
    """Feedback of every type on an item."""
    return _list(shop, item_id=item_id)


@route(
    get,
    "/item/{item_id:str}/feedback/{feedback_type:str}",
    Scope.CUSTOMERS,
    "Get an item's feedback of a type",
)
def read_typed_of_item(
    shop: AskShop, item_id: ItemId, feedback_type: FeedbackType
) -> Sequence[Feedback]:
    """Feedback of one type on an item."""
    return _list(shop, item_id=item_id, feedback_type=feedback_type)


def _list(
    shop: Shop,
    *,
    user_id: str | None = None,
    item_id: str | None = None,
    feedback_type: str | None = None,
) -> list[Feedback]:
    with shop.store.read() as tx:
        customer = None
        if user_id is not None:
            try:
                customer = require_user(tx, user_id)
            except UnknownCustomer:
                return []
        return list_feedback(
            shop.store,
            tx,
            shop.clock.now(),
            customer=customer,
            item_id=item_id,
            feedback_type=feedback_type,
        )[0]


ROUTES = [
    insert_feedback,
    overwrite_feedback,
    read_feedback,
    read_typed_feedback,
    read_one,
    delete_one,
    read_between,
    delete_between,
    read_of_user,
    read_typed_of_user,
    read_of_item,
    read_typed_of_item,
]
