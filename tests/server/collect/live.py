"""The real server in a thread, a line before it that often fails, and pages of another origin."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from granian.constants import Interfaces
from granian.server.embed import Server

from lingxi.access.sources import list_sources
from lingxi.app.shop import Shop
from lingxi.server.app import create_app
from lingxi.server.collect import Front

HOST = "127.0.0.1"
FAILURES = 0.3
_KINDS = ("503", "429", "cut", "cut after")


class Line(ThreadingHTTPServer):
    """Passes requests on; of those that bring events, a share is answered 503 or 429 or cut off
    instead, some of these only after the server has taken what they brought."""

    daemon_threads = True

    def __init__(self, port: int, seed: int, failures: float) -> None:
        super().__init__((HOST, 0), _Passing)
        self.behind, self.rng, self.lock = port, random.Random(seed), Lock()
        self.failures = failures
        self.done: Counter[str] = Counter()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.server_address[1]}"

    @property
    def failed(self) -> int:
        return sum(n for kind, n in self.done.items() if kind != "passed")

    def choose(self) -> str:
        with self.lock:
            failed = self.failures and (not self.done or self.rng.random() < self.failures)
            chosen = self.rng.choice(_KINDS) if failed else "passed"
            self.done[chosen] += 1
            return chosen


class _Passing(BaseHTTPRequestHandler):
    server: Line
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self._pass_on(self.server.choose())

    def do_GET(self) -> None:
        self._pass_on("passed")

    def do_OPTIONS(self) -> None:
        self._pass_on("passed")

    def _pass_on(self, chosen: str) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        headers: Mapping[str, str] = {"access-control-allow-origin": "*"}
        status, text = int(chosen) if chosen.isdigit() else 0, b"{}"
        if chosen in ("passed", "cut after"):
            status, headers, text = self._ask(body)
        if chosen.startswith("cut"):
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(text)))
        if status == 429:
            self.send_header("retry-after", "1")
        self.end_headers()
        self.wfile.write(text)

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        onward = HTTPConnection(HOST, self.server.behind, timeout=30)
        # the host stays the one that the client asked, as behind any proxy
        onward.request(self.command, self.path, body, dict(self.headers.items()))
        answer = onward.getresponse()
        text = answer.read()
        onward.close()
        return answer.status, dict(answer.getheaders()), text

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def open_line(port: int, *, seed: int = 0, failures: float = FAILURES) -> Iterator[Line]:
    """A line to the server at ``port``; without ``failures`` it only passes on."""
    line = Line(port, seed, failures)
    Thread(target=line.serve_forever, daemon=True).start()
    try:
        yield line
    finally:
        line.shutdown()
        line.server_close()


@contextmanager
def serve_shop(shop: Shop) -> Iterator[int]:
    """The server as in production, in a thread of this process; its port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    app = create_app(shop)
    front = Front(app.state["door"], app.state["lane"], app)
    server = Server(front, address=HOST, port=port, interface=Interfaces.ASGI, log_enabled=False)
    loop = asyncio.new_event_loop()
    thread = Thread(target=lambda: loop.run_until_complete(server.serve()), daemon=True)
    thread.start()
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                break
        time.sleep(0.05)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(server.stop)
        thread.join(20)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Files of a folder at an origin of their own; its address."""
    server = ThreadingHTTPServer((HOST, 0), partial(_Quiet, directory=str(folder)))
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def find_key(shop: Shop) -> str:
    """The write key of the shop's first source."""
    with shop.store.read() as tx:
        return list_sources(tx)[0].write_key


def count_stored(shop: Shop) -> Counter[str]:
    """How often each message of a client is in the log, by its messageId."""
    return Counter(event.event_id.removeprefix("web:") for event in shop.store.log.read())
