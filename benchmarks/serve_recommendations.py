"""Requests per second of ``/v1/recommendations/{id}``, beside the ceiling of the same server.

    python benchmarks/serve_recommendations.py --shop DIR [--seconds 5] [--connections 8]

Both are measured in the same run, one after the other, by the same client on the loopback: the
ceiling is the same granian with a bare ASGI application that answers as many constant bytes.
"""

import argparse
import asyncio
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lingxi.access import Scope, create_key
from lingxi.app.shop import Shop

HOST = "127.0.0.1"
SIZE_VARIABLE = "LINGXI_BENCHMARK_BYTES"
_START_SECONDS = 60


@dataclass(frozen=True)
class Load:
    """What one measurement found; seconds are of single requests."""

    requests: int
    seconds: float
    latencies: Sequence[float]
    body_bytes: int

    def describe(self, name: str) -> str:
        p50, p99 = np.quantile(self.latencies, [0.5, 0.99]) * 1000
        rate = self.requests / self.seconds
        return (
            f"{name:28} {rate:9,.0f} requests/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   "
            f"{self.body_bytes} bytes"
        )


async def constant(scope: dict[str, Any], _receive: object, send: Any) -> None:
    """The bare application of the ceiling."""
    if scope["type"] != "http":
        return
    body = b"x" * int(os.environ[SIZE_VARIABLE])
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def run_server(code: str, port: int, **environment: str) -> Iterator[None]:
    """A server in its own process, until the block ends."""
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parent,
    )
    try:
        _wait_for(port)
        yield
    finally:
        child.terminate()
        child.wait(30)


async def measure(
    port: int, paths: Sequence[str], key: str, *, seconds: float, connections: int
) -> Load:
    """Ask for the paths in turn over some connections, each waiting for its answer."""
    latencies: list[float] = []
    bodies: list[int] = []
    end = time.perf_counter() + seconds

    async def ask(offset: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        rest = f" HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\n\r\n"
        i = offset
        while (start := time.perf_counter()) < end:
            path = paths[i % len(paths)]
            i += connections
            writer.write(f"GET {path}{rest}".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{path}: {head.decode()}")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - start)
            bodies.append(length)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(ask(i) for i in range(connections)))
    spent = time.perf_counter() - began
    return Load(len(latencies), spent, latencies, int(np.mean(bodies)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=8)
    chosen = parser.parse_args()
    port = _free_port()
    shop = Shop.open(chosen.shop)
    with shop.store.write() as tx:
        made = create_key(
            tx, shop.clock.now(), "benchmark", [Scope.RECOMMENDATIONS], actor="benchmark"
        )
    page = shop.answers.customers(n=500)
    paths = [f"/v1/recommendations/{row.customer_id}" for row in page.rows]
    events = shop.store.log.count()
    shop.close()
    bounds = {"seconds": chosen.seconds, "connections": chosen.connections}

    def ask() -> Load:
        asyncio.run(measure(port, paths, made.secret, seconds=1, connections=2))
        return asyncio.run(measure(port, paths, made.secret, **bounds))

    real = (
        "from pathlib import Path; from lingxi.server.serve import serve; "
        f"serve(Path({str(chosen.shop.resolve())!r}), host={HOST!r}, port={port})"
    )
    with run_server(real, port, LINGXI_SERVER_REQUESTS_PER_MINUTE="0"):
        load = ask()
    bare = (
        "from granian import Granian; Granian('serve_recommendations:constant', "
        f"address={HOST!r}, port={port}, interface='asgi', websockets=False).serve()"
    )
    bare = f"import sys; sys.path.insert(0, '.'); {bare}"
    with run_server(bare, port, **{SIZE_VARIABLE: str(load.body_bytes)}):
        ceiling = ask()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{events:,} events, {page.total:,} customers, {chosen.connections} connections, "
        f"{chosen.seconds:g} s each, client on the same cores"
    )
    print(load.describe("/v1/recommendations/{id}"))
    print(ceiling.describe("ceiling: constant answer"))
    share = (load.requests / load.seconds) / (ceiling.requests / ceiling.seconds)
    print(f"share of the ceiling         {share:9.1%}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"No server on port {port} within {_START_SECONDS} s.")


if __name__ == "__main__":
    main()
