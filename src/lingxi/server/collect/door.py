"""The door for events: from the bytes of a request to an answer that means 'on disk'.

It stands before Litestar, because an event needs neither sessions nor dependency injection, and
half of what a request costs is theirs. The same door answers Litestar's own routes for these
addresses, which describe them in the API's reference and catch other spellings of a path.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, cast

import structlog

from lingxi.access.sources import Source
from lingxi.app.shop import Shop
from lingxi.errors import (
    BodyTooLarge,
    BodyUnreadable,
    InternalError,
    LingxiError,
    NotAuthenticated,
    PermissionDenied,
)
from lingxi.ingest.carried import Judged
from lingxi.ingest.turned_away import NOBODY
from lingxi.ingest.wire import Parcel, Sender, address_parcel, unpack
from lingxi.ingest.wire import read_body as read_batch_body
from lingxi.ingest.wire.forms import read_fields
from lingxi.server.collect.addresses import Address, list_addresses
from lingxi.server.collect.book import SourceBook
from lingxi.server.collect.cleaner import Cleaner
from lingxi.server.collect.counts import Counts
from lingxi.server.collect.pace import Pace
from lingxi.server.collect.patience import Patience
from lingxi.server.collect.queue import Queue
from lingxi.server.collect.replies import Reply, answer_preflight, make_reply, refuse
from lingxi.server.collect.topic_queue import TopicQueue
from lingxi.server.requests import request_id

if TYPE_CHECKING:
    from litestar.types import HTTPScope, Receive, Send

_DRAIN_BYTES = 16 * 1024 * 1024
_READ_SECONDS = 30
_patience = Patience(_READ_SECONDS)
_NO_KEY = (
    "No source has this write key. Send it as the user of Basic authorization, or as 'writeKey' "
    "in the body; 'lingxi source list' shows the keys in use."
)


class Door:
    """Takes requests of the collector's addresses."""

    def __init__(self, shop: Shop, queue: Queue | TopicQueue, counts: Counts) -> None:
        self._shop = shop
        self._settings = shop.settings.collect
        self.counts = counts
        self.queue = queue
        self.cleaner = Cleaner(shop.settings)
        self.book = SourceBook(shop.store)
        self._pace = Pace(self._settings.requests_per_second)
        self._addresses = {address.path: address for address in list_addresses()}
        self._taken = {
            address.path: make_reply(200, address.content_type, address.answer)
            for address in self._addresses.values()
        }

    def find(self, scope: "HTTPScope") -> Address | None:
        """The address that a request is for, if it is one of the collector's."""
        path = scope["path"]
        address = self._addresses.get(path) or self._addresses.get(path.rstrip("/"))
        if address is None or scope["method"] not in (address.method, "OPTIONS"):
            return None
        return address

    async def serve(
        self, address: Address, scope: "HTTPScope", receive: "Receive", send: "Send"
    ) -> None:
        """Answer one request straight to the server."""
        reply = await self.answer(address, scope, receive)
        self.counts.answer(address.path, reply.status)
        await reply.send(send)

    async def answer(self, address: Address, scope: "HTTPScope", receive: "Receive") -> Reply:
        """The answer to one request, once what it brought is on disk."""
        headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS":
            return answer_preflight(headers, address.method.encode())
        origin = headers.get(b"origin")
        whose: list[str] = []
        try:
            await self._take(address, scope, headers, receive, whose)
        except LingxiError as error:
            self._shop.turned_away.note(
                whose[0] if whose else NOBODY, error.code, self._shop.clock.now()
            )
            return refuse(error, request_id(scope), origin)
        except Exception as error:
            name = request_id(scope)
            structlog.get_logger().error("collect_failed", request_id=name, exc_info=error)
            return refuse(InternalError("Something went wrong on our side."), name, origin)
        if origin is None:
            return self._taken[address.path]
        return make_reply(200, address.content_type, address.answer, origin=origin)

    async def _take(
        self,
        address: Address,
        scope: "HTTPScope",
        headers: Mapping[bytes, bytes],
        receive: "Receive",
        whose: list[str],
    ) -> None:
        """Take what one request brings; ``whose`` gets the name of its source once that is known,
        for whatever goes wrong afterwards."""
        known = await self._find_by_header(headers)
        if known is not None:
            whose.append(known.name)
        if address.method == "GET":
            body = scope["query_string"]
        else:
            most = address.most or self._settings.largest_batch_bytes
            body = await read_body(receive, most)
            encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
            body = unpack(body, encoding, most=most)
        source = known
        parcel: Parcel | None = None
        if source is None:
            parcel = address.read(body)
            source = await self._find_by_body(scope, parcel)
            whose.append(source.name)
        check_origin(source, headers.get(b"origin"))
        self._pace.count(source.name, monotonic())
        sender = self._describe(source, scope, headers)
        if parcel is None and isinstance(self.queue, Queue):
            judged = await self._judge_beside(address, body, sender)
            if judged:
                await self.queue.store(source.name, judged, len(body))
                return
        messages = address_parcel(parcel or address.read(body), sender)
        await self.queue.store(source.name, messages, len(body))

    async def _judge_beside(
        self, address: Address, body: bytes, sender: Sender
    ) -> Sequence[Judged] | None:
        """The messages of a large batch, cleaned by the process beside, where there is one."""
        if address.read is not read_batch_body or not self.cleaner.takes(len(body)):
            return None
        return await self.cleaner.judge(body, sender)

    def _describe(
        self, source: Source, scope: "HTTPScope", headers: Mapping[bytes, bytes]
    ) -> Sender:
        agent = headers.get(b"user-agent")
        client = scope.get("client")
        return Sender(
            source.name,
            self._shop.clock.now(),
            None if agent is None else agent.decode("latin-1"),
            client[0] if client else None,
        )

    async def _find_by_header(self, headers: Mapping[bytes, bytes]) -> Source | None:
        """The source that the header names, before a byte of the body is read."""
        key = read_key(headers)
        return await self.book.find(key) if key else None

    async def _find_by_body(self, scope: "HTTPScope", parcel: Parcel) -> Source:
        fields = read_fields(scope["query_string"]) if scope["query_string"] else {}
        for key in (fields.get("writeKey") or fields.get("write_key"), parcel.write_key):
            source = await self.book.find(key) if key else None
            if source is not None:
                return source
        raise NotAuthenticated(_NO_KEY)


def read_key(headers: Mapping[bytes, bytes]) -> str | None:
    """The write key that a request names in its headers.

    Basic authorization carries it as the user; Jitsu's header as ``key:secret``.

    >>> read_key({b"authorization": b"Basic d2s6"}), read_key({b"x-write-key": b"k:s"})
    ('wk', 'k')
    """
    header = headers.get(b"authorization")
    if header is not None and header[:6].lower() == b"basic ":
        try:
            user = base64.b64decode(header[6:]).partition(b":")[0]
        except (binascii.Error, ValueError):
            return None
        return user.decode("utf-8", "replace") or None
    header = headers.get(b"x-write-key")
    if header is None:
        return None
    return header.partition(b":")[0].decode("latin-1") or None


def check_origin(source: Source, origin: bytes | None) -> None:
    """Refuse a page of another site, where the source names its own; servers send no origin.

    Raises
    ------
    PermissionDenied
    """
    if origin is None or not source.allowed_origins:
        return
    if origin.decode("latin-1").lower() not in source.allowed_origins:
        raise PermissionDenied(
            f"The source {source.name!r} takes no events from pages of this origin."
        )


async def read_body(receive: "Receive", most: int) -> bytes:
    """The body of a request, at most ``most`` bytes.

    What is too large is read on, a piece at a time and kept nowhere, up to 16 MB: a client that is
    cut off while it sends does not see the answer, and would send the same again.

    Raises
    ------
    BodyTooLarge
        If there is more.
    BodyUnreadable
        If the client went away, or is slower than about 30 seconds.
    """
    parts: list[bytes] = []
    size, more = 0, True
    try:
        with _patience.start():
            while more and size <= _DRAIN_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyUnreadable("The client went away before it had sent everything.")
                part = cast(bytes, message.get("body", b""))
                more = bool(message.get("more_body", False))
                size += len(part)
                if size <= most:
                    parts.append(part)
                else:
                    parts.clear()
    except TimeoutError as error:
        raise BodyUnreadable(f"The body did not arrive within {_READ_SECONDS} seconds.") from error
    if size > most:
        raise BodyTooLarge(f"The body is larger than {most} bytes, the most that is taken at once.")
    return parts[0] if len(parts) == 1 else b"".join(parts)
