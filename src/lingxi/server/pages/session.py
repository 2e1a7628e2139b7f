"""Coming and going: login, logout, language and theme."""

from dataclasses import dataclass
from typing import Annotated, Final

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.response import Redirect

from lingxi.access import Credentials, log_in, log_out
from lingxi.access.users import choose_user_language
from lingxi.config import ServerSettings
from lingxi.errors import NotAuthenticated, RateLimited
from lingxi.i18n import LANGUAGES
from lingxi.server.dependencies import LANGUAGE_COOKIE, AnyRequest, AskShop, AskUser
from lingxi.server.pages.frame import THEME_COOKIE, THEMES, AskFrame
from lingxi.server.pages.links import local_path
from lingxi.server.requests import client_address
from lingxi.server.security import expired_session_cookie, session_cookie, session_cookie_name

_YEAR_SECONDS = 31_536_000
_SEE_OTHER: Final = 303


@dataclass(frozen=True)
class LoginForm:
    """What the login page sends."""

    name: str
    password: str
    back: str = "/"


@dataclass(frozen=True)
class PreferencesForm:
    """A language or a theme, and the page to come back to."""

    language: str = ""
    theme: str = ""
    back: str = "/"


LoginData = Annotated[LoginForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
PreferencesData = Annotated[PreferencesForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/login", opt={"open": True}, sync_to_thread=False)
def get_login(frame: AskFrame, back: FromQuery[str] = "/") -> Response[str]:
    """The login page; whoever is logged in already goes on."""
    if frame.user is not None:
        return see(local_path(back))
    return frame.page("login.html", {"back": local_path(back), "name": "", "problem": ""})


@post("/login", opt={"open": True}, sync_to_thread=True, status_code=200)
def post_login(
    data: LoginData, frame: AskFrame, shop: AskShop, request: AnyRequest
) -> Response[str]:
    """Open a session, or say in one sentence why not."""
    settings = shop.settings.server
    try:
        login = log_in(
            shop.store,
            shop.clock.now(),
            Credentials(data.name, data.password),
            address=client_address(request.scope),
            hours=settings.session_hours,
            former_token=request.cookies.get(session_cookie_name(settings)),
        )
    except NotAuthenticated:
        problem, status = frame.words.text("login.wrong"), 401
    except RateLimited as error:
        minutes = -(-error.retry_after_seconds // 60)
        problem, status = frame.words.text("login.too_many", n=minutes), 429
    else:
        response = see(local_path(data.back))
        response.set_cookie(session_cookie(settings, login.token))
        return response
    context = {"back": local_path(data.back), "name": data.name, "problem": problem}
    return frame.page("login.html", context, status=status)


@post("/logout", sync_to_thread=True)
def post_logout(user: AskUser, shop: AskShop, request: AnyRequest) -> Response[str]:
    """End the session."""
    settings = shop.settings.server
    token = request.cookies.get(session_cookie_name(settings), "")
    with shop.store.write() as tx:
        log_out(tx, shop.clock.now(), user, token)
    response = see("/login")
    response.set_cookie(expired_session_cookie(settings))
    return response


@post("/preferences", opt={"open": True}, sync_to_thread=True)
def post_preferences(data: PreferencesData, frame: AskFrame, shop: AskShop) -> Response[str]:
    """Keep a language or a theme in a cookie; a language is remembered for the user too."""
    response = see(local_path(data.back))
    settings = shop.settings.server
    if data.theme in THEMES:
        response.set_cookie(_preference(settings, THEME_COOKIE, data.theme))
    if data.language in LANGUAGES:
        response.set_cookie(_preference(settings, LANGUAGE_COOKIE, data.language))
        if frame.user is not None:
            with shop.store.write() as tx:
                choose_user_language(tx, frame.user.user_id, data.language)
    return response


def see(path: str) -> Response[str]:
    """Send the browser to another page after a form."""
    return Redirect(path, status_code=_SEE_OTHER)


def _preference(settings: ServerSettings, name: str, value: str) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        path="/",
        max_age=_YEAR_SECONDS,
        samesite="lax",
        httponly=True,
        secure=settings.secure_cookies,
    )


ROUTES = [get_login, post_login, post_logout, post_preferences]
