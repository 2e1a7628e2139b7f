"""Answers as bytes, made beforehand where they are always the same; CORS for any page."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING

import msgspec

from lingxi.errors import LingxiError, RateLimited
from lingxi.server.problems import BUSY, BUSY_SECONDS, Problem, find_own_status

if TYPE_CHECKING:
    from litestar.types import HTTPResponseStartEvent, Send

Headers = Sequence[tuple[bytes, bytes]]
_ALWAYS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
)
_LONGEST_ECHO = 1000
_PREFLIGHT_SECONDS = b"86400"


class Refusal(msgspec.Struct, frozen=True):
    """The body of an answer that says no; ``success`` is what the Segment clients look at."""

    error: Problem
    success: bool = False


@dataclass(frozen=True)
class Reply:
    """One whole answer."""

    status: int
    headers: Headers
    body: bytes

    async def send(self, send: "Send") -> None:
        """Send it, headers and body."""
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": self.status,
            "headers": list(self.headers),
        }
        await send(start)
        await send({"type": "http.response.body", "body": self.body, "more_body": False})


def make_reply(
    status: int, content_type: bytes, body: bytes, extra: Headers = (), origin: bytes | None = None
) -> Reply:
    """An answer with what every answer carries."""
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        *_ALWAYS,
        *extra,
        *allow_origin(origin),
    ]
    return Reply(status, headers, body)


def allow_origin(origin: bytes | None) -> Headers:
    """The headers by which a browser lets a page of another site read the answer.

    The origin is echoed, because a browser that sends credentials takes no ``*``; nothing here
    depends on a cookie, so the echo gives nothing away. What no browser would send is not echoed.
    """
    if not origin or not origin.isascii():
        return ()
    return (
        (b"access-control-allow-origin", origin[:_LONGEST_ECHO]),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"retry-after, x-ratelimit-reset"),
        (b"vary", b"origin"),
    )


def answer_preflight(headers: dict[bytes, bytes], methods: bytes) -> Reply:
    """The answer to a browser that asks beforehand; the key is only looked at afterwards."""
    wanted = headers.get(b"access-control-request-headers", b"")[:_LONGEST_ECHO]
    if not wanted.isascii():
        wanted = b""
    extra = (
        (b"access-control-allow-methods", methods + b", OPTIONS"),
        (b"access-control-allow-headers", wanted or b"authorization, content-type"),
        (b"access-control-max-age", _PREFLIGHT_SECONDS),
    )
    origin = headers.get(b"origin") or b"*"
    return make_reply(200, b"text/plain", b"", extra, origin)


def refuse(error: LingxiError, request_id: str, origin: bytes | None) -> Reply:
    """The answer to a request that was not taken, with when to come back where that helps."""
    status = int(find_own_status(error))
    extra: list[tuple[bytes, bytes]] = []
    message = str(error)
    if isinstance(error, RateLimited):
        seconds = error.retry_after_seconds
        extra.append((b"retry-after", str(seconds).encode()))
        extra.append((b"x-ratelimit-reset", str(int(time()) + seconds).encode()))
    elif status == 503:
        message = BUSY
        extra.append((b"retry-after", str(BUSY_SECONDS).encode()))
    elif status == 401:
        extra.append((b"www-authenticate", b'Basic realm="lingxi"'))
    body = msgspec.json.encode(Refusal(Problem(error.code, message, request_id)))
    return make_reply(status, b"application/json", body, extra, origin)
