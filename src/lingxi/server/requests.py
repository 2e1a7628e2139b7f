"""What is known of a request before anyone looks at who sent it."""

import re
import secrets
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Scope

API_PREFIXES = ("/v1", "/gorse/api", "/docs/openapi.json", "/health", "/metrics")
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


def request_id(scope: "Scope") -> str:
    """The id that names this request in answers and logs; a proxy may have given one."""
    state = scope["state"]
    known = state.get("request_id")
    if isinstance(known, str):
        return known
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    chosen = given.decode() if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
    state["request_id"] = chosen
    return chosen


def is_api_path(path: str) -> bool:
    """Whether programs call this address, so that errors are JSON there.

    >>> is_api_path("/v1/plan"), is_api_path("/v1"), is_api_path("/customers")
    (True, True, False)
    """
    return any(path == prefix or path.startswith(prefix + "/") for prefix in API_PREFIXES)


def client_address(scope: "Scope") -> str:
    """Where the request comes from; an IPv6 address counts by its network of 64 bits.

    Behind a proxy, granian's forwarded-header wrapper has already put the real address here.
    """
    client = scope.get("client")
    if not client:
        return "unknown"
    try:
        address = ip_address(client[0])
    except ValueError:
        return "unknown"
    if address.version == 6:
        return ":".join(address.exploded.split(":")[:4]) + "::/64"
    return str(address)


def route_template(scope: "HTTPScope") -> str:
    """The route that matched, without the identifiers in the path; for logs and metrics."""
    return scope.get("path_template") or "unmatched"
