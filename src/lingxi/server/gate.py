"""The gate before every route: who asks, may they, have they asked too often, is the form ours.

A route says what it needs in its ``opt``: ``open=True`` lets anyone in (health, assets, the login
page), ``scope=Scope.X`` asks for a permission; with neither, any key or session will do.
``unmetered=True`` leaves the request out of the limit: a shop's own server asks for every visitor.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.concurrency import sync_to_thread
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from sqlalchemy import Connection

from lingxi.access.keys import FoundKey, find_key, note_key_use
from lingxi.access.principal import Principal, SessionUser
from lingxi.access.roles import Scope as Permission
from lingxi.access.roles import who_can
from lingxi.access.sessions import Session, find_session, slide_session
from lingxi.app.shop import Shop
from lingxi.errors import NotAuthenticated, PermissionDenied
from lingxi.server.background import BackgroundWrites
from lingxi.server.csrf import FIELD, HEADER, check_token
from lingxi.server.security import VISIT_COOKIE, session_cookie_name, visit_cookie
from lingxi.server.throttle import Throttle

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY_SEEN_EVERY = timedelta(minutes=1)
_LONGEST_SECRET = 256


@dataclass(frozen=True)
class Presented:
    """What a request shows at the gate."""

    key: str | None
    token: str | None


class GateOfShop(ASGIMiddleware):
    """Leads every request to the gate of the shop that the application is over."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        gate: Gate = scope["litestar_app"].state["gate"]
        await gate.handle(scope, receive, send, next_app)


class Gate:
    """Lets a request through to its route, or says why not."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._settings = shop.settings.server
        self._cookie = session_cookie_name(self._settings)
        self.writes = BackgroundWrites(shop.store)
        self._throttle = Throttle(self._settings.requests_per_minute, self.writes)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        scope["state"]["started"] = perf_counter()
        opt = scope["route_handler"].opt
        if opt.get("unguarded"):
            await next_app(scope, receive, send)
            return
        request: Request[Any, Any, Any] = Request(scope, receive=receive, send=send)
        presented = self._read(request)
        principal: Principal | None = None
        if presented.key is not None or presented.token is not None:
            metered = not opt.get("unmetered")
            principal = await sync_to_thread(self._admit, presented, metered)
        scope["user"] = principal
        by_session = presented.key is None
        if by_session:  # before anything is refused: the page that says so has forms as well
            send = self._place_secret(request, presented, principal, send)
        if not opt.get("open"):
            check_permission(principal, opt.get("scope"))
        if by_session and request.method not in SAFE_METHODS:
            await check_form(request, str(scope["state"]["csrf_secret"]))
        await next_app(scope, receive, send)

    def _read(self, request: Request[Any, Any, Any]) -> Presented:
        given = request.headers
        key = choose_key(given.get("authorization", ""), given.get("x-api-key"))
        token = request.cookies.get(self._cookie)
        return Presented(
            key,
            token[:_LONGEST_SECRET] if token else None,
        )

    def _admit(self, presented: Presented, metered: bool) -> Principal | None:
        with self._shop.store.read() as tx:
            return self.admit(tx, presented, metered=metered)

    def admit(
        self, tx: Connection, presented: Presented, *, metered: bool = True
    ) -> Principal | None:
        """Whom the key or else the session names in this transaction, counted where that holds.

        Raises
        ------
        RateLimited
            When they have had their requests of this minute.
        """
        principal = self._find(tx, presented)
        if principal is not None and metered:
            self._throttle.count(tx, principal.bucket, self._shop.clock.now())
        return principal

    def _find(self, tx: Connection, presented: Presented) -> Principal | None:
        now = self._shop.clock.now()
        if presented.key is not None:
            key = find_key(tx, presented.key)
            return None if key is None else self._note_key(key)
        session = find_session(tx, presented.token or "", now)
        return None if session is None else self._note_session(session)

    def _note_key(self, key: FoundKey) -> Principal:
        now = self._shop.clock.now()
        if key.used_at is None or now - key.used_at >= _KEY_SEEN_EVERY:
            key_id = key.holder.key_id
            self.writes.submit(f"key:{key_id}", lambda tx: note_key_use(tx, key_id, now))
        return key.holder

    def _note_session(self, session: Session) -> Principal:
        if session.slide:
            now, hours = self._shop.clock.now(), self._settings.session_hours
            session_id = session.user.session_id
            self.writes.submit(
                f"session:{session_id}",
                lambda tx: slide_session(tx, session_id, now, hours=hours),
            )
        return session.user

    def _place_secret(
        self,
        request: Request[Any, Any, Any],
        presented: Presented,
        principal: Principal | None,
        send: Send,
    ) -> Send:
        """Lay out what form tokens are made from; a first visit gets a cookie for it."""
        state = request.scope["state"]
        if isinstance(principal, SessionUser) and presented.token:
            state["csrf_secret"] = _derive(presented.token)
            return send
        visit = request.cookies.get(VISIT_COOKIE, "")[:_LONGEST_SECRET]
        state["csrf_secret"] = _derive(visit or (fresh := secrets.token_urlsafe(32)))
        if visit:
            return send
        cookie = visit_cookie(self._settings, fresh).to_header(header="")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).add("set-cookie", cookie)
            await send(message)

        return send_with_cookie


def choose_key(authorization: str, api_key: str | None) -> str | None:
    """The secret key that two headers name: a bearer token before ``X-API-Key``.

    >>> choose_key("Bearer lx_1", "lx_2"), choose_key("Basic YTpi", "lx_2"), choose_key("", None)
    ('lx_1', 'lx_2', None)
    """
    kind, _, text = authorization.partition(" ")
    key = text.strip() if kind.lower() == "bearer" else api_key
    return None if key is None else key[:_LONGEST_SECRET]


def check_permission(principal: Principal | None, needed: Permission | None) -> None:
    """Refuse a stranger, and whoever lacks the permission.

    Raises
    ------
    NotAuthenticated, PermissionDenied
    """
    if principal is None:
        raise NotAuthenticated(
            "Log in, or send a valid secret key as 'Authorization: Bearer lx_...'."
        )
    if needed is None or principal.can(needed):
        return
    roles = " or ".join(who_can(needed))
    raise PermissionDenied(
        f"This needs the scope {needed.value!r}: a key that carries it, or a user who is {roles}."
    )


async def check_form(request: Request[Any, Any, Any], secret: str) -> None:
    """Refuse an unsafe request that did not come from a page of ours.

    Raises
    ------
    PermissionDenied
        If it comes from another site, or without the token of the session.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise PermissionDenied("The form was sent from another site.")
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise PermissionDenied("The form was sent from another site.")
    token = request.headers.get(HEADER)
    if token is None and request.content_type[0] in (
        RequestEncodingType.URL_ENCODED,
        RequestEncodingType.MULTI_PART,
    ):
        token = (await request.form()).get(FIELD)
    if not isinstance(token, str) or not check_token(secret, token):
        raise PermissionDenied("The form is out of date. Load the page again and resend it.")


def _derive(token: str) -> str:
    """The secret of form tokens: follows from the cookie, but does not give it away."""
    return hmac.new(token.encode("utf-8", "replace"), b"forms", sha256).hexdigest()
