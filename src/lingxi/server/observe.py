"""What happens to every answer on its way out: headers, one log line, counters."""

import sys
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import cast

import msgspec
from litestar.types import BeforeMessageSendHookHandler, HTTPScope, Message, Scope

from lingxi.config import ServerSettings
from lingxi.server.metrics import Metrics
from lingxi.server.requests import request_id, route_template
from lingxi.server.security import security_headers

_encode = msgspec.json.Encoder().encode


def make_observer(settings: ServerSettings, metrics: Metrics) -> BeforeMessageSendHookHandler:
    """The hook that sees every message of every answer, also of addresses that do not exist.

    Logs and metrics carry the route's template and never the path, whose identifiers are people.
    """
    fixed = security_headers(settings)

    async def observe(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            state = scope["state"]
            state["status"] = message["status"]
            headers = list(message["headers"])
            present = {name.lower() for name, _ in headers}
            headers.extend(pair for pair in fixed if pair[0] not in present)
            headers.append((b"x-request-id", request_id(scope).encode()))
            if b"cache-control" not in present:
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            _note(cast("HTTPScope", scope), metrics)

    return observe


def _note(scope: HTTPScope, metrics: Metrics) -> None:
    state = scope["state"]
    started = state.get("started")
    seconds = perf_counter() - started if isinstance(started, float) else None
    status, route = int(state.get("status", 0)), route_template(scope)
    metrics.count(str(scope["method"]), route, status, seconds)
    log_request(
        str(scope["method"]),
        route,
        status,
        seconds,
        getattr(scope.get("user"), "actor", None),
        request_id(scope),
    )


def log_request(
    method: str, route: str, status: int, seconds: float | None, actor: str | None, name: str
) -> None:
    """The one line of a request; ``name`` is its id, of letters, digits, dots and dashes."""
    ms = "null" if seconds is None else repr(round(seconds * 1000, 2))
    now = datetime.now(UTC).isoformat().removesuffix("+00:00")
    # put together by hand: structlog would take longer over it than a quick answer does
    sys.stderr.write(
        f'{{"method":{_quote(method)},"route":{_quote(route)},"status":{status},"ms":{ms},'
        f'"actor":{_quote(actor)},"request_id":"{name}",'
        f'"event":"request","level":"info","timestamp":"{now}Z"}}\n'
    )


@lru_cache(maxsize=1024)
def _quote(text: str | None) -> str:
    """A text as JSON."""
    return _encode(text).decode()
