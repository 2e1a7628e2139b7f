"""The collector's addresses as routes: described in the API's reference, and open to everyone.

A write key in the request, not a session, says who sends; so no token of a form is asked for.
"""

from typing import Any

import msgspec
from litestar import HttpMethod, Request, Response, get, post, route
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from lingxi.server.collect.addresses import Address, list_addresses
from lingxi.server.collect.door import Door
from lingxi.server.collect.replies import Refusal, Reply, answer_preflight
from lingxi.server.collect.webhooks import take as take_webhook

_OPEN = {"unguarded": True}
_TAGS = {
    "segment": "collector (Segment, RudderStack)",
    "pixel": "collector (pixel)",
    "jitsu": "collector (Jitsu)",
    "posthog": "collector (PostHog)",
}


class Accepted(msgspec.Struct, frozen=True):
    """Everything the request brought is on disk."""

    success: bool


_RESPONSES = {
    400: ResponseSpec(Refusal, description="Too large, or not readable."),
    401: ResponseSpec(Refusal, description="No source has this write key."),
    403: ResponseSpec(Refusal, description="The source takes nothing from this origin."),
    415: ResponseSpec(Refusal, description="A compression that is not read."),
    429: ResponseSpec(Refusal, description="Too fast; Retry-After says when to come back."),
    503: ResponseSpec(Refusal, description="Not stored; send the same again."),
}


def make_routes(door: Door) -> list[HTTPRouteHandler]:
    """A route for every address of the collector, and what browser clients load first."""
    routes = [_make_route(door, address) for address in list_addresses()]
    return [*routes, take_webhook, get_client_settings, get_source_config]


def _make_route(door: Door, address: Address) -> HTTPRouteHandler:
    async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
        reply = await door.answer(address, request.scope, request.receive)
        return _to_response(reply)

    words = (
        f"{address.summary}, as {address.tool} clients send it. The answer comes once everything "
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
        status_code=200,
        responses={200: ResponseSpec(Accepted, description="Stored."), **_RESPONSES},
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
