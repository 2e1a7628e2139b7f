"""One POST over HTTP, and an honest word on what became of it."""

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from lingxi.errors import InvalidInput

_MOST_ANSWER = 65_536


@dataclass(frozen=True)
class Answer:
    """What the other side answered; ``retry_after`` in seconds, 0 where it did not say."""

    status: int
    body: bytes
    retry_after: float = 0.0
    location: str = ""


@dataclass(frozen=True)
class NotSent:
    """No byte of the request left."""

    detail: str


@dataclass(frozen=True)
class NoAnswer:
    """The request left, or part of it; no answer came."""

    detail: str


@dataclass(frozen=True)
class Target:
    """Where to post to."""

    scheme: str
    host: str
    port: int
    path: str


def read_target(url: str, where: str) -> Target:
    """The parts of an address.

    Raises
    ------
    InvalidInput
        If it is no address over HTTP or HTTPS.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise InvalidInput(f"{where} must be an address such as https://host/path.")
    path = parts.path or "/"
    return Target(
        parts.scheme,
        host,
        port or (443 if parts.scheme == "https" else 80),
        path + (f"?{parts.query}" if parts.query else ""),
    )


def post(
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
    *,
    timeout: float,
    public_only: bool = False,
    context: ssl.SSLContext | None = None,
) -> Answer | NotSent | NoAnswer:
    """Post once; redirects are answers, not followed.

    With ``public_only`` a host that stands for an address of a private network is not spoken to:
    for addresses that customers' browsers tell.
    """
    try:
        connection = _connect(target, timeout, public_only, context)
    except (OSError, ValueError) as error:
        return NotSent(f"{type(error).__name__}: {error}")
    try:
        connection.request("POST", target.path, body=body, headers=dict(headers))
        response = connection.getresponse()
        text = response.read(_MOST_ANSWER)
        return Answer(
            response.status,
            text,
            _read_seconds(response.getheader("Retry-After") or ""),
            response.getheader("Location") or "",
        )
    except (OSError, HTTPException, ValueError) as error:
        return NoAnswer(f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def _connect(
    target: Target, timeout: float, public_only: bool, context: ssl.SSLContext | None
) -> HTTPConnection:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    if public_only and not all(ipaddress.ip_address(each).is_global for each in addresses):
        raise OSError("the host is not a public one")
    sock = socket.create_connection((addresses[0], target.port), timeout=timeout)
    if target.scheme == "http":
        connection = HTTPConnection(target.host, target.port, timeout=timeout)
        connection.sock = sock
        return connection
    try:
        wrapped = (context or ssl.create_default_context()).wrap_socket(
            sock, server_hostname=target.host
        )
    except (OSError, ValueError):
        sock.close()
        raise
    secure = HTTPSConnection(target.host, target.port, timeout=timeout)
    secure.sock = wrapped
    return secure


def _read_seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0.0
