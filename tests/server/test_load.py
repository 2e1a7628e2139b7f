"""A worker's start: events are taken while the rest is loaded, and everything else waits for it."""

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from lingxi.access.sources import list_sources
from lingxi.app.shop import Shop, init_shop
from lingxi.server.app import create_front
from lingxi.server.load import Opening, make_door


class Server:
    """What an ASGI server says to an application, and what it hears."""

    def __init__(self, app: Opening) -> None:
        self.app = app
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.life: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        scope: Any = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self.life = asyncio.create_task(self.app(scope, self.said.get, self.heard.put))
        self.said.put_nowait({"type": "lifespan.startup"})
        assert (await self.heard.get())["type"] == "lifespan.startup.complete"

    async def end(self) -> None:
        assert self.life is not None
        self.said.put_nowait({"type": "lifespan.shutdown"})
        assert (await self.heard.get())["type"] == "lifespan.shutdown.complete"
        await self.life

    async def ask(self, method: str, path: str, body: bytes = b"", key: str = "") -> int:
        basic = b"Basic " + base64.b64encode(f"{key}:".encode())
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "headers": [(b"authorization", basic), (b"host", b"test")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        statuses: list[int] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self.app(scope, receive, send)
        return statuses[0]


@pytest.fixture
def opened(tmp_path: Path) -> Shop:
    init_shop(tmp_path / "s", name="S", currency="GBP", timezone="UTC", language="en").close()
    return Shop.open(tmp_path / "s")


def load_later(shop: Shop, go_on: Event) -> tuple[Opening, Callable[[], bool]]:
    door = make_door(shop)

    def load() -> Any:
        assert go_on.wait(30)
        return create_front(shop, door)

    app = Opening(door, load)
    return app, lambda: app._front is not None


def run_apart(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: a browser opened by other tests has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def test_an_event_is_on_disk_before_the_rest_is_loaded_and_the_rest_waits(opened: Shop) -> None:
    go_on = Event()

    async def run() -> None:
        app, is_loaded = load_later(opened, go_on)
        server = Server(app)
        await server.begin()
        with opened.store.read() as tx:
            key = list_sources(tx)[0].write_key
        event = {"type": "track", "event": "Thing", "messageId": "m1", "userId": "u"}
        page = asyncio.create_task(server.ask("GET", "/health/live"))
        assert await server.ask("POST", "/v1/track", json.dumps(event).encode(), key) == 200
        assert [e.event_id for e in opened.store.log.read()] == ["web:m1"]
        assert not is_loaded()
        assert not page.done()
        go_on.set()
        assert await page == 200
        event["messageId"] = "m2"
        assert await server.ask("POST", "/v1/track", json.dumps(event).encode(), key) == 200
        assert await server.ask("GET", "/no/such/page") == 404
        await server.end()

    run_apart(run())
    again = Shop.open(opened.settings.folder)
    assert [e.event_id for e in again.store.log.read()] == ["web:m1", "web:m2"]
    again.close()


def test_a_server_that_ends_before_it_is_loaded_ends_in_order(opened: Shop) -> None:
    go_on = Event()

    async def run() -> None:
        app, is_loaded = load_later(opened, go_on)
        server = Server(app)
        await server.begin()
        ending = asyncio.create_task(server.end())
        await asyncio.sleep(0)
        assert not is_loaded()
        go_on.set()
        await ending
        assert is_loaded()

    run_apart(run())
