"""The server as its own process: what bombs cost it in memory, and how soon it is there."""

import gzip
import re
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
from live import HOST, find_key

from lingxi.app.shop import Shop

pytestmark = pytest.mark.slow

BODIES = {
    "gzip": gzip.compress(b"0" * 100_000_000),
    "gzip in gzip": gzip.compress(gzip.compress(b"0" * 100_000_000)),
    "deflate": zlib.compress(b"0" * 100_000_000),
    "ten megabytes": b'{"event":"' + b"x" * 10_000_000 + b'"}',
    "deep": b'{"a":' * 80_000,
    "many": b'{"batch":[' + b"{}," * 150_000 + b"{}]}",
}
_ALLOWED = 96 * 1024 * 1024
"""64 MB may wait in the queue; the rest is what the interpreter keeps of it."""


@dataclass(frozen=True)
class Process:
    """``lingxi serve`` and where it listens."""

    port: int
    pid: int

    def memory(self) -> int:
        """The most bytes that the worker ever held."""
        worker = find_worker(self.pid)
        text = Path(f"/proc/{worker}/status").read_text(encoding="utf-8")
        found = re.search(r"VmHWM:\s+(\d+) kB", text)
        assert found is not None
        return int(found[1]) * 1024

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        """The status, and the seconds it took."""
        line = HTTPConnection(HOST, self.port, timeout=30)
        started = time.monotonic()
        line.request("POST", "/v1/batch", body, headers)
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status, time.monotonic() - started


def find_worker(pid: int) -> int:
    """The child with the most memory: spawned workers have a tracker beside them."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    sizes = {child: Path(f"/proc/{child}/statm").read_text(encoding="utf-8") for child in children}
    return int(max(sizes, key=lambda child: int(sizes[child].split()[1])))


@contextmanager
def run_server(folder: Path) -> Iterator[Process]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "lingxi.cli", "serve", "--port", str(port)]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex((HOST, port)) == 0:
                    break
            time.sleep(0.05)
        line = HTTPConnection(HOST, port, timeout=60)
        line.request("GET", "/health/live")  # answered once everything is loaded
        assert line.getresponse().status == 200
        line.close()
        yield Process(port, server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def test_bombs_cost_no_more_memory_than_honest_bodies(shop: Shop) -> None:
    shop.ensure_source()
    headers = {"x-write-key": find_key(shop)}
    folder = shop.settings.folder
    with run_server(folder) as process:
        for _ in range(50):
            assert process.post(b'{"batch":[{"type":"track"}]}', headers)[0] == 200
        before = process.memory()
        jobs = [
            (body, headers | ({"content-encoding": "deflate"} if name == "deflate" else {}))
            for name, body in BODIES.items()
        ]
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda job: process.post(*job), jobs * 40))
        assert {status for status, _ in told} <= {200, 400, 429, 503}
        assert max(seconds for _, seconds in told) < 20
        assert process.memory() - before < _ALLOWED
        assert process.post(b'{"batch":[]}', headers)[0] == 200
