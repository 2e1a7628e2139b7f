"""Settings: the shop, the machinery, language and theme, users and secret keys."""

from dataclasses import dataclass, field
from typing import Annotated

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from lingxi.access import Credentials, Role, Scope, create_key, log_in
from lingxi.access.keys import list_keys, revoke_key
from lingxi.access.users import change_password, change_role, create_user, list_users, remove_user
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput, NotAuthenticated, UserError
from lingxi.server.dependencies import AnyRequest, AskShop, AskUser
from lingxi.server.pages.frame import AskFrame, Frame
from lingxi.server.pages.session import see
from lingxi.server.requests import client_address
from lingxi.server.security import expired_session_cookie

_ADMIN = {"scope": Scope.ADMIN}
_DONE = ("user_created", "user_removed", "role_changed", "password_set", "key_revoked")


@dataclass(frozen=True)
class NewUserForm:
    """A user to be added."""

    name: str
    password: str
    role: str


@dataclass(frozen=True)
class UserForm:
    """A user and what to change: ``role`` or ``password``, or neither to remove the user."""

    name: str
    role: str = ""
    password: str = ""


@dataclass(frozen=True)
class OwnPasswordForm:
    """The reader's own password, old and new."""

    current: str
    password: str


@dataclass(frozen=True)
class KeyForm:
    """A key to be made, with its scopes, or a key to be revoked."""

    name: str = ""
    key_id: str = ""
    scopes: list[str] = field(default_factory=list)


NewUserData = Annotated[NewUserForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
UserData = Annotated[UserForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
OwnPasswordData = Annotated[OwnPasswordForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
KeyData = Annotated[KeyForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/settings", opt={"scope": Scope.STATUS}, sync_to_thread=True)
def get_settings(frame: AskFrame, shop: AskShop, done: FromQuery[str] = "") -> Response[str]:
    """The page; ``done`` names what was just changed."""
    return draw_settings(frame, shop, done=done if done in _DONE else "")


@post("/settings/users", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_user(data: NewUserData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Add a user."""
    try:
        with shop.store.write() as tx:
            credentials = Credentials(data.name, data.password)
            role = read_role(data.role)
            create_user(tx, shop.clock.now(), credentials, role, actor=user.actor)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    return see("/settings?done=user_created#users")


@post("/settings/users/role", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_role(data: UserData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Give a user another role."""
    try:
        with shop.store.write() as tx:
            role = read_role(data.role)
            change_role(tx, shop.clock.now(), data.name, role, actor=user.actor)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    return see("/settings?done=role_changed#users")


@post("/settings/users/password", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_password(data: UserData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Set a user's password; the user's sessions end."""
    try:
        with shop.store.write() as tx:
            credentials = Credentials(data.name, data.password)
            change_password(tx, shop.clock.now(), credentials, actor=user.actor)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    return see("/settings?done=password_set#users")


@post("/settings/users/remove", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_removal(data: UserData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Remove a user."""
    try:
        with shop.store.write() as tx:
            remove_user(tx, shop.clock.now(), data.name, actor=user.actor)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    return see("/settings?done=user_removed#users")


@post("/settings/password", opt={"scope": Scope.STATUS}, sync_to_thread=True, status_code=200)
def post_own_password(
    data: OwnPasswordData, frame: AskFrame, shop: AskShop, user: AskUser, request: AnyRequest
) -> Response[str]:
    """Change the reader's own password; every session of theirs ends, this one too."""
    now, hours = shop.clock.now(), shop.settings.server.session_hours
    address = client_address(request.scope)
    try:
        current = Credentials(user.name, data.current)
        log_in(shop.store, now, current, address=address, hours=hours)
        with shop.store.write() as tx:
            wanted = Credentials(user.name, data.password)
            change_password(tx, now, wanted, actor=user.actor)
    except NotAuthenticated:
        problem = frame.words.text("settings.password.wrong")
        return draw_settings(frame, shop, problem=problem, status=400)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    response = see("/login")
    response.set_cookie(expired_session_cookie(shop.settings.server))
    return response


@post("/settings/keys", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_key(data: KeyData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """Make a secret key and show it, this once."""
    try:
        scopes = [Scope(name) for name in data.scopes if name in set(Scope)]
        with shop.store.write() as tx:
            made = create_key(tx, shop.clock.now(), data.name, scopes, actor=user.actor)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    return draw_settings(frame, shop, secret=made.secret)


@post("/settings/keys/revoke", opt=_ADMIN, sync_to_thread=True, status_code=200)
def post_revocation(data: KeyData, frame: AskFrame, shop: AskShop, user: AskUser) -> Response[str]:
    """End a secret key at once."""
    try:
        with shop.store.write() as tx:
            revoke_key(tx, shop.clock.now(), data.key_id, actor=user.actor)
    except UserError as error:
        return draw_settings(frame, shop, problem=str(error), status=400)
    return see("/settings?done=key_revoked#keys")


def draw_settings(
    frame: Frame,
    shop: Shop,
    *,
    done: str = "",
    problem: str = "",
    secret: str = "",
    status: int = 200,
) -> Response[str]:
    """The page of settings, with what a form has just done or why it could not."""
    view = shop.answers.status()
    is_administrator = frame.user is not None and frame.user.can(Scope.ADMIN)
    users, keys = [], []
    if is_administrator:
        with shop.store.read() as tx:
            users, keys = list_users(tx), list_keys(tx)
    context = {
        "view": view,
        "settings": shop.settings,
        "is_administrator": is_administrator,
        "users": users,
        "keys": keys,
        "roles": list(Role),
        "scopes": list(Scope),
        "done": done,
        "problem": problem,
        "secret": secret,
        "behind": max((lag.behind for lag in view.lags), default=0),
    }
    return frame.page("settings.html", context, status=status)


def read_role(name: str) -> Role:
    """The role of a form.

    Raises
    ------
    InvalidInput
        If there is no such role.
    """
    if name not in set(Role):
        raise InvalidInput(f"There is no role {name!r}; choose one of {', '.join(Role)}.")
    return Role(name)


ROUTES = [
    get_settings,
    post_user,
    post_role,
    post_password,
    post_removal,
    post_own_password,
    post_key,
    post_revocation,
]
