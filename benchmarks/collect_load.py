"""A load generator that costs little: prebuilt requests over raw sockets, answers only counted.

It runs as a process of its own, so that it and the server do not share an interpreter:

    python benchmarks/collect_load.py --port 8787 --key KEY --size 100 --seconds 10
"""

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from collect_messages import Template, make_template

HOST = "127.0.0.1"


@dataclass
class Tally:
    """What came back; seconds are of single requests, from when they were due to their answer."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    seconds: list[float] = field(default_factory=list)
    first_number: int = 0


class Client(asyncio.Protocol):
    """One keep-alive connection; answers come in the order of the requests."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._due: deque[float] = deque()
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self, due: float) -> None:
        """One request; its latency counts from ``due``."""
        assert self._transport is not None
        self._due.append(due)
        self._transport.write(self._load.next_request())

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        count, good = data.count(b"HTTP/1.1 "), data.count(b"HTTP/1.1 200")
        self._rest = data[-12:] if data[-12:].count(b"HTTP/1.1 ") == 0 else b""
        self._rest = b"" if data.endswith(b"}") else self._rest
        now = time.perf_counter()
        tally = self._load.tally
        for _ in range(count):
            tally.seconds.append(now - self._due.popleft())
            tally.answered += 1
            if self._load.is_closed_loop and now < self._load.end:
                self.send(now)
        tally.refused += count - good


class Load:
    """Requests at full speed over a number of connections, or at a fixed rate."""

    def __init__(self, templates: list[Template], first: int, rate: float) -> None:
        self._templates = templates
        self._number = first
        self._turn = 0
        self._rate = rate
        self.is_closed_loop = rate == 0
        self.tally = Tally(first_number=first)
        self.end = 0.0

    def next_request(self) -> bytes:
        template = self._templates[self._turn]
        self._turn = (self._turn + 1) % len(self._templates)
        request = template.fill(self._number)
        self._number += template.size
        self.tally.sent += 1
        return request

    async def run(self, port: int, connections: int, seconds: float) -> Tally:
        loop = asyncio.get_running_loop()
        clients: list[Client] = []
        for _ in range(connections):
            _, client = await loop.create_connection(lambda: Client(self), HOST, port)
            clients.append(client)
        begin = time.perf_counter()
        self.end = begin + seconds
        if self.is_closed_loop:
            for client in clients:
                client.send(begin)
            await asyncio.sleep(seconds)
        else:
            await self._pace(clients, begin)
        while self.tally.answered < self.tally.sent and time.perf_counter() < self.end + 10:
            await asyncio.sleep(0.01)
        return self.tally

    async def _pace(self, clients: list[Client], begin: float) -> None:
        sent = 0
        while (now := time.perf_counter()) < self.end:
            while sent < (now - begin) * self._rate:
                clients[sent % len(clients)].send(begin + sent / self._rate)
                sent += 1
            await asyncio.sleep(0.001)


def drive(port: int, key: str, **options: float) -> dict[str, float]:
    """Run a load generator in its own process; what it found."""
    arguments = [sys.executable, __file__, "--port", str(port), "--key", key]
    for name, value in options.items():
        arguments += [f"--{name}", str(value)]
    done = subprocess.run(
        arguments, capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the tally as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default="key")
    parser.add_argument("--size", type=int, default=1, help="messages a request; 1 sends singles")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: full speed")
    options = parser.parse_args()
    count = 4_000 if options.size == 1 else 300
    templates = [make_template(options.size, options.key, seed) for seed in range(count)]
    gc.freeze()
    first = int.from_bytes(os.urandom(5)) << 32
    load = Load(templates, first, options.rate)
    begin = time.perf_counter()
    tally = asyncio.run(load.run(options.port, options.connections, options.seconds))
    elapsed = time.perf_counter() - begin
    p50, p99, p999 = np.quantile(tally.seconds, [0.5, 0.99, 0.999]) * 1000
    print(
        json.dumps(
            {
                "requests": tally.answered,
                "unanswered": tally.sent - tally.answered,
                "refused": tally.refused,
                "elapsed": min(elapsed, options.seconds) if options.rate else elapsed,
                "p50": p50,
                "p99": p99,
                "p999": p999,
                "worst": max(tally.seconds) * 1000,
                "cpu": time.process_time(),
            }
        )
    )


if __name__ == "__main__":
    main()
