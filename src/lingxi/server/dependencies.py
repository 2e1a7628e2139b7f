"""What a route handler or a page may ask for by the name of a parameter.

``shop``        the opened shop: settings, clock, store
``answers``     everything the product can tell (the same object for API, pages and CLI)
``principal``   who asks: a dashboard user or a program with a secret key
``user``        the logged-in dashboard user; a secret key alone is refused
``csrf_token``  to be placed in every form as the hidden field ``_csrf_token``, or sent as the
                header ``X-CSRF-Token``; a new value on every call, all valid for the session
``translator``  language of the cookie ``lingxi_language``, else of the user, else of the
                ``Accept-Language`` header, else of the shop; the shop's time zone and currency
"""

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from lingxi.access import Principal, SessionUser
from lingxi.app.answers import Answers
from lingxi.app.shop import Shop
from lingxi.errors import NotAuthenticated, PermissionDenied
from lingxi.i18n import LANGUAGES, Translator, choose_language
from lingxi.server.csrf import issue_token

LANGUAGE_COOKIE = "lingxi_language"

AnyRequest = Request[Principal | None, object, State]


AskAnswers = NamedDependency[Answers]
AskShop = NamedDependency[Shop]
AskUser = NamedDependency[SessionUser]
AskTranslator = NamedDependency[Translator]
AskToken = NamedDependency[str]
"""Types for the parameters ``answers``, ``shop``, ``user``, ``translator``, ``csrf_token``."""


def provide_shop(state: State) -> Shop:
    """The shop that this worker has opened."""
    shop: Shop = state["shop"]
    return shop


def provide_answers(state: State) -> Answers:
    """The answers of the shop."""
    return provide_shop(state).answers


def provide_principal(request: AnyRequest) -> Principal:
    """Who asks; a route that is open to all has no principal."""
    principal = request.scope.get("user")
    if not isinstance(principal, Principal):
        raise NotAuthenticated("Log in, or send a secret key as 'Authorization: Bearer lx_...'.")
    return principal


def provide_user(request: AnyRequest) -> SessionUser:
    """The logged-in user of the dashboard."""
    principal = provide_principal(request)
    if not isinstance(principal, SessionUser):
        raise PermissionDenied("This page is for users who log in, not for secret keys.")
    return principal


def provide_csrf_token(request: AnyRequest) -> str:
    """A fresh token for the forms of this session (or of the login page)."""
    secret = request.scope["state"].get("csrf_secret")
    if not isinstance(secret, str):
        raise PermissionDenied("Forms are for users who log in, not for secret keys.")
    return issue_token(secret)


def provide_translator(request: AnyRequest, state: State) -> Translator:
    """Words, money, numbers and dates for the reader of this request."""
    settings = provide_shop(state).settings
    principal = request.scope.get("user")
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen not in LANGUAGES and isinstance(principal, SessionUser):
        chosen = principal.language
    if chosen not in LANGUAGES:
        header = request.headers.get("accept-language")
        chosen = choose_language(header) if header else settings.shop.language
    return Translator(chosen, timezone=settings.zone, currency=settings.shop.currency)


DEPENDENCIES = {
    "shop": Provide(provide_shop, sync_to_thread=False),
    "answers": Provide(provide_answers, sync_to_thread=False),
    "principal": Provide(provide_principal, sync_to_thread=False),
    "user": Provide(provide_user, sync_to_thread=False),
    "csrf_token": Provide(provide_csrf_token, sync_to_thread=False),
    "translator": Provide(provide_translator, sync_to_thread=False),
}
"""Given to the application; a handler asks by parameter name."""
