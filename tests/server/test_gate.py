"""Nobody gets in without a key or a session, and nobody further than these allow."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from lingxi.access import KeyHolder, Role, Scope
from lingxi.access.keys import list_keys, revoke_key
from lingxi.access.sessions import find_session
from lingxi.access.users import change_role
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.server.collect.addresses import list_addresses
from lingxi.server.gate import check_permission
from lingxi.server.security import SESSION_COOKIE

Client = TestClient[Litestar]
OPEN = {
    "/health/live",
    "/lx.js",
    "/health/ready",
    "/gorse/api/health/live",
    "/gorse/api/health/ready",
    "/login",
    "/preferences",
    "/static/{name}",
    "/docs/reference.css",
    "/webhooks/shopify/{source}",
    "/webhooks/woocommerce/{source}",
    "/v1/projects/{write_key}/settings",
    "/sourceConfig",
    *(f"/mail/{kind}/{{word}}" for kind in ("c", "o", "confirm", "preferences", "unsubscribe")),
    *(address.path for address in list_addresses()),
}
"""Everything that answers a stranger; the collector's addresses look at a write key instead,
those of mails at the signature in the address."""


def fill(template: str) -> str:
    """An address of a route."""
    return re.sub(r"\{(number|position|version)\}", "1", template).replace("{", "").replace("}", "")


def is_guarded(route: HTTPRoute) -> bool:
    """Whether a key or a session is asked for."""
    return route.path_format not in OPEN


def addresses(app: Litestar) -> list[tuple[str, str]]:
    """Every (method, path template) of the application."""
    return [
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in sorted(route.methods)
    ]


def test_every_route_but_those_of_the_list_is_closed_to_strangers(
    app: Litestar, client: Client
) -> None:
    closed = 0
    for method, template in addresses(app):
        answer = client.request(method, fill(template), follow_redirects=False)
        if template in OPEN:
            assert method == "OPTIONS" or "Log in, or send" not in answer.text, (method, template)
        else:
            assert answer.status_code == 401, (method, template)
            assert answer.json()["error"]["code"] == "not_authenticated"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            closed += 1
    assert closed > 20


def test_every_route_of_the_api_names_the_permission_it_needs(app: Litestar) -> None:
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith("/v1") and is_guarded(route):
            for handler, _ in route.route_handler_map.values():
                if "OPTIONS" not in handler.http_methods:
                    assert isinstance(handler.opt["scope"], Scope), route.path


def test_each_scope_opens_its_own_routes_and_no_others(
    app: Litestar, client: Client, make_key: Callable[..., dict[str, str]]
) -> None:
    needed = {
        route.path_format: handler.opt["scope"]
        for route in app.routes
        if isinstance(route, HTTPRoute) and is_guarded(route)
        for handler, _ in route.route_handler_map.values()
        if route.path.startswith(("/v1", "/metrics")) and "GET" in handler.http_methods
        if is_guarded(route)
    }
    for scope in Scope:
        headers = make_key(scope)
        for path, wanted in needed.items():
            answer = client.get(fill(path), headers=headers)
            allowed = scope in (wanted, Scope.ADMIN)
            assert (answer.status_code != 403) is allowed, (scope, path)
            if not allowed:
                message = answer.json()["error"]["message"]
                assert wanted.value in message
                assert "administrator" in message  # says who can


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer lx_000000000000_" + "0" * 64,
        "Basic YWRtaW46YWRtaW4=",
        "bearer \udcff",
        "Bearer " + "x" * 5000,
    ],
)
def test_a_bad_key_is_refused_even_beside_a_good_session(
    client: Client, make_session: Callable[[Role], str], header: str
) -> None:
    cookie = f"{SESSION_COOKIE}={make_session(Role.ADMINISTRATOR)}"
    raw = header.encode("utf-8", "surrogateescape")
    headers = [(b"authorization", raw), (b"cookie", cookie.encode())]
    expected = 200 if header.startswith("Basic") else 401  # a proxy's own password is not a key
    assert client.get("/v1/models", headers=headers).status_code == expected


def test_a_key_may_come_as_x_api_key_and_is_refused_once_revoked(
    shop: Shop, client: Client, key: dict[str, str]
) -> None:
    headers = {"x-api-key": key["authorization"].removeprefix("Bearer ")}
    assert client.get("/v1/models", headers=headers).status_code == 200
    with shop.store.write() as tx:
        (listed,) = list_keys(tx)
        revoke_key(tx, shop.clock.now(), listed.key_id, actor="test")
    assert client.get("/v1/models", headers=headers).status_code == 401


def test_when_a_key_was_last_used_is_remembered(
    shop: Shop, app: Litestar, key: dict[str, str]
) -> None:
    with TestClient(app) as client:
        client.get("/v1/models", headers=key)
    with shop.store.read() as tx:  # closing the application finished its writes
        (listed,) = list_keys(tx)
    assert listed.used_at == shop.clock.now()


def test_a_session_reads_the_api_within_its_role(
    shop: Shop, client: Client, make_session: Callable[[Role], str]
) -> None:
    client.cookies.set(SESSION_COOKIE, make_session(Role.ADMINISTRATOR))
    assert client.get("/v1/plan/export").status_code == 200
    client.cookies.set(SESSION_COOKIE, make_session(Role.VIEWER))
    assert client.get("/v1/plan").status_code == 200
    refused = client.get("/v1/plan/export")
    assert refused.status_code == 403
    assert "administrator or marketer" in refused.json()["error"]["message"]
    with shop.store.write() as tx:  # a new role counts from the next request on
        change_role(tx, shop.clock.now(), "viewer", Role.MARKETER, actor="test")
    assert client.get("/v1/plan/export").status_code == 200


def test_a_session_slides_with_use_and_ends_without(
    shop: Shop, app: Litestar, make_session: Callable[[Role], str]
) -> None:
    assert isinstance(shop.clock, FixedClock)
    token = make_session(Role.VIEWER)
    shop.clock.advance(timedelta(hours=11))
    with TestClient(app, cookies={SESSION_COOKIE: token}) as client:
        assert client.get("/v1/plan").status_code == 200
    with shop.store.read() as tx:
        session = find_session(tx, token, shop.clock.now())
    assert session is not None
    assert session.expires_at == shop.clock.now() + timedelta(hours=12)
    shop.clock.advance(timedelta(hours=12))
    with TestClient(app, cookies={SESSION_COOKIE: token}) as client:
        assert client.get("/v1/plan").status_code == 401


def test_a_permission_that_is_not_needed_is_not_asked_for() -> None:
    check_permission(KeyHolder("k", "till", frozenset()), None)
