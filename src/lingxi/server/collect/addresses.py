"""The addresses that events come to, and how each is read and answered."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from lingxi.ingest.wire import Parcel, read_body, read_posthog, read_query

TYPES = ("track", "identify", "page", "screen", "group", "alias")
_JSON = b"application/json"
_SUCCESS = b'{"success":true}'
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_POSTHOG_BYTES = 5 * 1024 * 1024
"""PostHog's clients cut their batches here, and give up on a batch that is refused."""


@dataclass(frozen=True)
class Address:
    """One address: how its bytes are read, and what is answered once they are on disk.

    ``read`` gets the unpacked body of a POST, or the query of a GET. ``holds`` is what a
    well-formed one brings, for the API's description: ``batch``, a type of message, ``capture`` or
    ``captures``. ``most`` is the limit of the body in bytes where it differs from the settings'.
    """

    method: str
    path: str
    tool: str
    summary: str
    holds: str
    read: Callable[[bytes], Parcel]
    content_type: bytes = _JSON
    answer: bytes = _SUCCESS
    most: int | None = None


def list_addresses() -> list[Address]:
    """Every address of the collector."""
    return [*_segment(), *_pixels(), *_jitsu(), *_posthog()]


def _segment() -> Iterable[Address]:
    for path in ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch", "/v1/beacon/batch"):
        yield Address("POST", path, "segment", "A batch of messages", "batch", read_body)
    for kind in TYPES:
        for path in (f"/v1/{kind}", f"/v1/{kind[0]}"):
            words, read = f"One {kind} message", partial(read_body, kind=kind)
            yield Address("POST", path, "segment", words, kind, read)


def _pixels() -> Iterable[Address]:
    for kind in TYPES:
        for path in (f"/pixel/v1/{kind}", f"/v1/pixel/{kind}"):
            yield Address(
                "GET",
                path,
                "pixel",
                f"One {kind} message in the address of an image",
                kind,
                partial(read_query, kind=kind),
                b"image/gif",
                _GIF,
            )


def _jitsu() -> Iterable[Address]:
    for prefix in ("/api/s", "/api/s/s2s"):
        yield Address("POST", f"{prefix}/batch", "jitsu", "A batch of messages", "batch", read_body)
        for kind in TYPES:
            words, read = f"One {kind} message", partial(read_body, kind=kind)
            yield Address("POST", f"{prefix}/{kind}", "jitsu", words, kind, read)


def _posthog() -> Iterable[Address]:
    for path in ("/batch", "/capture", "/e", "/i/v0/e"):
        yield Address(
            "POST",
            path,
            "posthog",
            "Events in PostHog's form",
            "captures" if path == "/batch" else "capture",
            read_posthog,
            answer=b'{"status":1}',
            most=_POSTHOG_BYTES,
        )
