"""Lists of customers that people keep by hand."""

from typing import Annotated

import msgspec
from litestar import delete, post, put
from litestar.params import JSONBody, PathParameter

from lingxi.access.roles import Scope
from lingxi.app.segments.list_desk import MOST_AT_ONCE
from lingxi.app.segments.views import ListChanged, ListedView, ListsView
from lingxi.segments.lists import CustomerList
from lingxi.server.api.parameters import LONGEST_ID, Cursor, Rows
from lingxi.server.api.route import read
from lingxi.server.api.write import write
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal

ListName = Annotated[str, PathParameter(description="The list's name, such as staff.")]


class ListChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A list to be made, or its new title."""

    title: str = ""


class ListMembers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Customers to be put on a list, or taken off it."""

    customer_ids: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)], ...],
        msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE),
    ]


@read("/v1/lists", Scope.SEGMENTS, "All lists")
def get_lists(shop: AskShop) -> ListsView:
    """Every list with its number of customers."""
    return shop.lists.list()


@read("/v1/lists/{name:str}", Scope.CUSTOMERS, "One list")
def get_list(shop: AskShop, name: ListName, cursor: Cursor = None, n: Rows = 50) -> ListedView:
    """A list with a page of its customers."""
    return shop.lists.get(name, cursor=cursor, n=n)


@write(put, "/v1/lists/{name:str}", Scope.SEGMENTS_WRITE, "Make a list")
def put_list(
    shop: AskShop, request: AnyRequest, name: ListName, data: JSONBody[ListChange]
) -> CustomerList:
    """Make a list, or give it another title."""
    return shop.lists.put(name, data.title, actor=provide_principal(request).actor)


@write(delete, "/v1/lists/{name:str}", Scope.SEGMENTS_WRITE, "Delete a list")
def delete_list(shop: AskShop, request: AnyRequest, name: ListName) -> ListsView:
    """Remove a list and everybody on it."""
    shop.lists.delete(name, actor=provide_principal(request).actor)
    return shop.lists.list()


@write(post, "/v1/lists/{name:str}/add", Scope.SEGMENTS_WRITE, "Add to a list")
def post_added(
    shop: AskShop, request: AnyRequest, name: ListName, data: JSONBody[ListMembers]
) -> ListChanged:
    """Put customers on a list."""
    return shop.lists.add(name, data.customer_ids, actor=provide_principal(request).actor)


@write(post, "/v1/lists/{name:str}/remove", Scope.SEGMENTS_WRITE, "Take off a list")
def post_removed(
    shop: AskShop, request: AnyRequest, name: ListName, data: JSONBody[ListMembers]
) -> ListChanged:
    """Take customers off a list."""
    return shop.lists.remove(name, data.customer_ids, actor=provide_principal(request).actor)


ROUTES = (get_lists, get_list, put_list, delete_list, post_added, post_removed)
