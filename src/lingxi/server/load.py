"""How a worker process begins: the door for events opens first, all the rest is loaded behind it.

A message can be on disk long before templates, models and a hundred routes are there. Until they
are, requests for anything else wait.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, cast

import structlog
from granian.utils.proxies import wrap_asgi_with_proxy_headers

from lingxi.app.shop import Shop
from lingxi.errors import LingxiError
from lingxi.server.collect.counts import Counts
from lingxi.server.collect.door import Door
from lingxi.server.collect.queue import Queue
from lingxi.server.garbage import spare_collector
from lingxi.server.logs import configure_logs
from lingxi.server.serve import SHOP_VARIABLE
from lingxi.server.threads import spare_threads

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

TRUSTED_PROXIES = "127.0.0.1,::1"
_FAILED = 1
_TURN_SECONDS = 0.0005
"""How long a thread that computes keeps others waiting: the one that writes events would make the
one that answers wait ten times as long, several times a request."""
_WARM_SECONDS = 5.0


def load_app() -> "ASGIApp":
    """The application of a worker process; the shop's folder comes from the environment.

    With secure cookies a proxy on this machine stands in front: its word on who asks is taken.
    """
    configure_logs()
    sys.setswitchinterval(_TURN_SECONDS)
    shop = _open_shop(Path(os.environ[SHOP_VARIABLE]))
    warming = Thread(target=shop.store.log.warm, name="lingxi-warm", daemon=True)
    warming.start()
    shop.ensure_source()
    door = make_door(shop)

    def load_rest() -> "ASGIApp":
        warming.join(_WARM_SECONDS)  # the first message waits for it, and it for no import
        from lingxi.server.app import create_front

        spare_threads()
        front = create_front(shop, door)
        shop.answers.ready_recommender()  # is loaded beside the start
        spare_collector()
        return front

    opening = Opening(door, load_rest)
    if not shop.settings.server.secure_cookies:
        return opening
    wrapped: ASGIApp = wrap_asgi_with_proxy_headers(opening, trusted_hosts=TRUSTED_PROXIES)
    return wrapped


def _open_shop(folder: Path) -> Shop:
    """The shop; a process that cannot open it ends, and whoever started it says so in words."""
    try:
        return Shop.open(folder)
    except LingxiError as error:
        structlog.get_logger().error("shop_not_opened", code=error.code, error=str(error))
        sys.stderr.flush()
        os._exit(_FAILED)


def make_door(shop: Shop) -> Door:
    """The door for events of one shop, with its queue."""
    counts, settings = Counts(), shop.settings.collect
    if settings.queue == "log":
        return Door(shop, Queue(shop.intake, settings, counts), counts)
    from lingxi.ingest.cleaning import Rules
    from lingxi.ingest.draining import Sealer
    from lingxi.server.collect.topic_queue import TopicQueue
    from lingxi.store.topics import TopicWriter

    writer = TopicWriter(
        shop.settings.kafka,
        timeout_seconds=settings.patience_seconds,
        most_records=2 * settings.waiting_events,
        most_bytes=2 * settings.waiting_bytes,
    )
    sealer = Sealer(shop.store.keyring, Rules.of(shop.settings))
    return Door(shop, TopicQueue(writer, sealer, settings, counts), counts)


class Opening:
    """An ASGI application whose door for events is open while the rest of it is loaded.

    ``load`` runs in a thread of its own, from the start of the server's lifespan on; a process in
    which it fails ends, and is started again.
    """

    def __init__(self, door: Door, load: "Callable[[], ASGIApp]") -> None:
        self._door, self._load = door, load
        self._front: ASGIApp | None = None
        self._loading: asyncio.Task[ASGIApp] | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request, or go through the server's life."""
        if cast(str, scope["type"]) == "http":
            request = cast("HTTPScope", scope)
            if self._front is None and await self._take(request, receive, send):
                return
            loaded = self._front
            front = await asyncio.shield(self._ready()) if loaded is None else loaded
            await front(scope, receive, send)
        else:
            await self._live(scope, receive, send)

    async def _take(self, scope: "HTTPScope", receive: "Receive", send: "Send") -> bool:
        address = self._door.find(scope)
        if address is None:
            return False
        scope["state"] = {}
        await self._door.serve(address, scope, receive, send)
        return True

    def _ready(self) -> "asyncio.Task[ASGIApp]":
        if self._loading is None:
            self._loading = asyncio.create_task(self._load_front())
        return self._loading

    async def _load_front(self) -> "ASGIApp":
        try:
            self._front = await asyncio.to_thread(self._load)
        except Exception as error:
            structlog.get_logger().error("server_not_loaded", exc_info=error)
            os._exit(_FAILED)
        return self._front

    async def _live(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Say at once that requests may come; the loaded application begins and ends behind it."""
        await receive()
        loading = self._ready()
        told: asyncio.Queue[Message] = asyncio.Queue()
        told.put_nowait(cast("Message", {"type": "lifespan.startup"}))
        begun = asyncio.create_task(self._begin(scope, told))
        await send(cast("Message", {"type": "lifespan.startup.complete"}))
        ending = await receive()
        await asyncio.shield(loading)
        told.put_nowait(cast("Message", ending))
        await begun
        await send(cast("Message", {"type": "lifespan.shutdown.complete"}))

    async def _begin(self, scope: "Scope", told: "asyncio.Queue[Message]") -> None:
        front = await asyncio.shield(self._ready())

        async def say(message: "Message") -> None:
            if message["type"].endswith(".failed"):
                structlog.get_logger().error("server_lifespan_failed", said=str(message))

        await front(scope, cast("Receive", told.get), cast("Send", say))
