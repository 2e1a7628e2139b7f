"""The collector's addresses as routes: described in the API's reference, and open to everyone.

A write key in the request, not a session, says who sends; so no token of a form is asked for.
"""

from typing import Any

from litestar import HttpMethod, Request, Response, get, post, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from lingxi.server.collect.addresses import Address, list_addresses
from lingxi.server.collect.description import (
    SECURITY,
    describe_answers,
    describe_body,
    make_operation,
)
from lingxi.server.collect.door import Door
from lingxi.server.collect.replies import Reply, answer_preflight
from lingxi.server.collect.webhooks import take as take_webhook

_OPEN = {"unguarded": True}
_TAGS = {
    "segment": "collector (Segment, RudderStack)",
    "pixel": "collector (pixel)",
    "jitsu": "collector (Jitsu)",
    "posthog": "collector (PostHog)",
}


def _make_route(address: Address) -> HTTPRouteHandler:
    async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
        door: Door = request.app.state["door"]
        reply = await door.answer(address, request.scope, request.receive)
        return _to_response(reply)

    words = (
        f"As {address.tool} clients send it. The answer comes once everything "
        "is on disk; the same message sent again is counted once."
    )
    declare = get if address.method == "GET" else post
    return declare(
        address.path,
        opt=_OPEN,
        tags=[_TAGS[address.tool]],
        summary=address.summary,
        description=words,
        operation_id=f"collect {address.method} {address.path}",
        operation_class=make_operation(address),
        dependencies=describe_body(address),
        security=SECURITY,
        status_code=200,
        responses=describe_answers(address),
    )(take)


def _to_response(reply: Reply) -> Response[bytes]:
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in reply.headers
        if name not in (b"content-type", b"content-length")
    }
    kind = next((v.decode() for n, v in reply.headers if n == b"content-type"), "text/plain")
    return Response(reply.body, status_code=reply.status, headers=headers, media_type=kind)


_ASKED = (HttpMethod.GET, HttpMethod.OPTIONS)
"""A browser asks beforehand where the client sends its key in a header."""


@route(
    "/v1/projects/{write_key:str}/settings",
    http_method=_ASKED,
    opt=_OPEN,
    include_in_schema=False,
    status_code=200,
)
async def get_client_settings(
    write_key: FromPath[str], request: Request[Any, Any, Any]
) -> Response[Any]:
    """What Segment's browser client loads first: send everything here."""
    if request.method == HttpMethod.OPTIONS:
        return _to_response(answer_preflight(dict(request.scope["headers"]), b"GET"))
    secure = request.url.scheme == "https"
    body: dict[str, object] = {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{request.headers.get('host', '')}/v1",
                "protocol": "https" if secure else "http",
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "metrics": {"sampleRate": 0},
        "enabledMiddleware": {},
        "remotePlugins": [],
    }
    return Response(body, headers={"access-control-allow-origin": "*"})


@route("/sourceConfig", http_method=_ASKED, opt=_OPEN, include_in_schema=False, status_code=200)
async def get_source_config(request: Request[Any, Any, Any]) -> Response[Any]:
    """What RudderStack's browser client loads first: one source, no destinations but us."""
    if request.method == HttpMethod.OPTIONS:
        return _to_response(answer_preflight(dict(request.scope["headers"]), b"GET"))
    key = request.query_params.get("writeKey", "")
    body: dict[str, object] = {
        "source": {
            "id": "lingxi",
            "name": "lingxi",
            "writeKey": key,
            "config": {
                "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
            },
            "enabled": True,
            "workspaceId": "lingxi",
            "destinations": [],
            "dataplanes": {},
            "connections": [],
            "updatedAt": "2026-01-01T00:00:00.000Z",
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "consentManagementMetadata": {},
    }
    headers = {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-credentials": "true",
        "vary": "origin",
    }
    return Response(body, headers=headers)


ROUTES: list[HTTPRouteHandler] = [
    *(_make_route(address) for address in list_addresses()),
    take_webhook,
    get_client_settings,
    get_source_config,
]
"""A route for every address of the collector, and what browser clients load first."""
