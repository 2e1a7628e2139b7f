"""The unmodified Python clients against the real server, over a line that often fails."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment
from granian.constants import Interfaces
from granian.server.embed import Server

from lingxi.access.sources import list_sources
from lingxi.app.shop import Shop, init_shop
from lingxi.server.app import create_app
from lingxi.server.collect import Front

HOST = "127.0.0.1"
FAILURES = 0.3
MESSAGES = 80


class Line(ThreadingHTTPServer):
    """Passes requests on; three in ten are answered 503 or 429 or cut off instead, some of these
    only after the server has taken what they brought."""

    daemon_threads = True

    def __init__(self, port: int, rng: random.Random) -> None:
        super().__init__((HOST, 0), Passing)
        self.behind, self.rng, self.lock = port, rng, Lock()
        self.done: Counter[str] = Counter()

    def choose(self) -> str:
        with self.lock:
            failed = self.rng.random() < FAILURES
            kinds = ["503", "429", "cut", "cut after"]
            chosen = self.rng.choice(kinds) if failed or not self.done else "passed"
            self.done[chosen] += 1
            return chosen


class Passing(BaseHTTPRequestHandler):
    server: Line
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        chosen = self.server.choose()
        if chosen in ("passed", "cut after"):
            onward = HTTPConnection(HOST, self.server.behind, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
            onward.request("POST", self.path, body, headers)
            answer = onward.getresponse()
            status, text = answer.status, answer.read()
            onward.close()
        else:
            status, text = int(chosen) if chosen.isdigit() else 0, b"{}"
        if chosen.startswith("cut"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        if status == 429:
            self.send_header("retry-after", "1")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def failing_line(port: int, seed: int) -> Iterator[Line]:
    line = Line(port, random.Random(seed))
    Thread(target=line.serve_forever, daemon=True).start()
    try:
        yield line
    finally:
        line.shutdown()
        line.server_close()


@contextmanager
def serving(shop: Shop) -> Iterator[int]:
    """The server as in production, in a thread of this process."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    app = create_app(shop)
    front = Front(app.state["door"], app)
    server = Server(front, address=HOST, port=port, interface=Interfaces.ASGI)
    loop = asyncio.new_event_loop()
    thread = Thread(target=lambda: loop.run_until_complete(server.serve()), daemon=True)
    thread.start()
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                break
        time.sleep(0.05)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(20)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    init_shop(tmp_path / "shop", name="S", currency="GBP", timezone="UTC", language="en").close()
    shop = Shop.open(tmp_path / "shop", environ={})
    yield shop
    shop.close()


def test_everything_sent_over_a_failing_line_is_stored_once(shop: Shop) -> None:
    with shop.store.read() as tx:
        key = list_sources(tx)[0].write_key
    lost: list[object] = []
    sent: set[str] = set()
    with serving(shop) as port, failing_line(port, seed=7) as line:
        address = f"http://{HOST}:{line.server_address[1]}"
        clients = [
            make(
                key,
                host=address,
                gzip=True,
                on_error=lambda error, items: lost.append((error, items)),
                upload_size=8,
                upload_interval=0.1,
            )
            for make in (segment.Client, rudder.Client)
        ]
        for client in clients:
            sent |= send_all(client, type(client).__module__.partition(".")[0])
        for client in clients:
            client.flush()
            client.join()
    assert lost == []
    assert len(sent) == 2 * MESSAGES
    assert sum(line.done.values()) > line.done["passed"]
    stored = Counter(event.event_id for event in shop.store.log.read())
    assert {name for name in sent if stored[f"web:{name}"] != 1} == set()


def send_all(client: "segment.Client | rudder.Client", tool: str) -> set[str]:
    names = set()
    for n in range(MESSAGES):
        name = f"{tool}-{n}"
        names.add(name)
        who = f"u{n % 7}"
        if n % 10 == 0:
            client.identify(who, {"email": f"{who}@example.com"}, message_id=name)
        else:
            said = {"product_id": f"p{n}", "price": 1.5}
            client.track(who, "Product Viewed", said, message_id=name)
    return names
