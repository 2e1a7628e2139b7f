"""Users of Gorse: the shop's customers."""

from litestar import delete, get, patch, post
from litestar.params import JSONBody

from lingxi.access.audit import record_audit
from lingxi.access.roles import Scope
from lingxi.app.erase import erase_customer
from lingxi.errors import UnknownCustomer
from lingxi.gorse.nouns import User, UserBody, UserPage, UserPatch
from lingxi.gorse.users import get_user, list_users, patch_user, put_users, require_user
from lingxi.ingest import customer_ids
from lingxi.server.dependencies import AnyRequest, AskShop, provide_principal
from lingxi.server.gorse.route import (
    Cursor,
    Number,
    Success,
    UserId,
    close_cursor,
    open_cursor,
    route,
)


@route(post, "/user", Scope.EVENTS_WRITE, "Insert a user")
def insert_user(shop: AskShop, data: JSONBody[UserBody]) -> Success:
    """Make the user what the body says."""
    with shop.store.write() as tx:
        return Success(put_users(shop.store, tx, [data], shop.clock.now()))


@route(post, "/users", Scope.EVENTS_WRITE, "Insert users")
def insert_users(shop: AskShop, data: JSONBody[list[UserBody]]) -> Success:
    """Make the users what the bodies say, all or none."""
    with shop.store.write() as tx:
        return Success(put_users(shop.store, tx, data, shop.clock.now()))


@route(get, "/user/{user_id:str}", Scope.CUSTOMERS, "Get a user")
def read_user(shop: AskShop, user_id: UserId) -> User:
    """One user; 404 where there is none."""
    with shop.store.read() as tx:
        return get_user(shop.store, tx, user_id)


@route(get, "/users", Scope.CUSTOMERS, "Get users")
def read_users(shop: AskShop, n: Number = 10, cursor: Cursor = "") -> UserPage:
    """Users in the order of their ids, a page at a time."""
    start = open_cursor(cursor, 1)
    with shop.store.read() as tx:
        users, last = list_users(shop.store, tx, after=str(start[0]) if start else "", n=n)
    return UserPage(close_cursor([last] if last else None), users)


@route(patch, "/user/{user_id:str}", Scope.EVENTS_WRITE, "Change a user")
def modify_user(shop: AskShop, user_id: UserId, data: JSONBody[UserPatch]) -> Success:
    """Set the fields that the body gives; as Gorse does, a user that is not there is no error."""
    with shop.store.write() as tx:
        patch_user(shop.store, tx, user_id, data, shop.clock.now())
    return Success(1)


@route(delete, "/user/{user_id:str}", Scope.ADMIN, "Erase a user")
def delete_user(shop: AskShop, user_id: UserId, request: AnyRequest) -> Success:
    """Erase everything held on the customer, everywhere; needs the scope ``admin``."""
    try:
        with shop.store.read() as tx:
            customer = require_user(tx, user_id)
            name = customer_ids(tx, [customer])[customer]
        erase_customer(shop, name)
    except UnknownCustomer:
        return Success(1)
    with shop.store.write() as tx:
        actor = provide_principal(request).actor
        record_audit(tx, shop.clock.now(), actor=actor, action="person.erased", target="")
    return Success(1)


ROUTES = [insert_user, insert_users, read_user, read_users, modify_user, delete_user]
