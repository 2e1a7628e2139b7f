"""Requests per second of ``/v1/recommendations/{id}``, beside the ceiling of the same server.

    python benchmarks/serve_recommendations.py --shop DIR [--seconds 5] [--connections 8]
                                               [--placement home]

All are measured in the same run, one after the other, by the same client on the loopback and with
one worker: customers who ask again, for recommendations and for a placement's list (what was worked
out for them is remembered); customers each of whom is worked out anew, for both: with nothing that
was worked out remembered (``server.recommendation_memory_mb = 0``), and with not even the histories
kept that were read (``server.history_memory_mb = 0``); and ceilings: the same granian with a bare
ASGI application that answers as many constant bytes, and Litestar on granian with the same. Then
half of what was reached, at an even pace. Shares are given by requests a second and by the server's
processor time a request, which other work on the machine disturbs less.
"""

import argparse
import asyncio
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
    cpu_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cost(self) -> float:
        """The server's processor time of a request, in microseconds."""
        return self.cpu_seconds / self.requests * 1e6

    def describe(self, name: str) -> str:
        p50, p99 = np.quantile(self.latencies, [0.5, 0.99]) * 1000
        return (
            f"{name:35} {self.rate:8,.0f} requests/s   p50 {p50:6.2f} ms   p99 {p99:6.2f} ms   "
            f"{self.cost:6,.0f} us processor   {self.body_bytes} bytes"
        )


async def constant(scope: dict[str, Any], _receive: object, send: Any) -> None:
    """The bare application of the ceiling."""
    if scope["type"] != "http":
        return
    body = b"x" * int(os.environ[SIZE_VARIABLE])
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def make_litestar() -> Any:
    """Litestar's ceiling: one route without anything around it."""
    from litestar import Litestar, Response, get

    body = b"x" * int(os.environ[SIZE_VARIABLE])

    @get("/v1/recommendations/{customer_id:path}")
    async def answer(customer_id: str) -> Response[bytes]:
        del customer_id
        return Response(body, media_type="application/json")

    return Litestar([answer], logging_config=None, openapi_config=None)


def read_cpu(pid: int) -> float:
    """Processor seconds of a process and all its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(read_cpu(int(child)) for child in children)


@contextmanager
def run_server(code: str, port: int, **environment: str) -> Iterator[int]:
    """A server in its own process, until the block ends; its process id."""
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parent,
    )
    try:
        _wait_for(port)
        yield child.pid
    finally:
        child.terminate()
        child.wait(30)


async def measure(
    port: int,
    paths: Sequence[str],
    key: str,
    *,
    seconds: float,
    connections: int,
    pid: int,
    pace: float = 0.0,
) -> Load:
    """Ask for the paths in turn over some connections, each waiting for its answer.

    With ``pace`` requests are due at so many a second, and a latency counts from when one was due.
    """
    latencies: list[float] = []
    spent_before = read_cpu(pid)
    bodies: list[int] = []
    end = time.perf_counter() + seconds

    async def ask(offset: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        rest = f" HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\n\r\n"
        i, due = offset, time.perf_counter() + (offset / pace if pace else 0.0)
        while (start := time.perf_counter()) < end:
            if pace:
                if due > start:
                    await asyncio.sleep(due - start)
                start, due = due, due + connections / pace
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
    cpu = read_cpu(pid) - spent_before
    return Load(len(latencies), spent, latencies, int(np.mean(bodies)), cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shop", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--placement", default="home")
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
    bounds: dict[str, Any] = {"seconds": chosen.seconds, "connections": chosen.connections}

    def ask(pid: int, asked: Sequence[str] = paths, **more: Any) -> Load:
        return asyncio.run(measure(port, asked, made.secret, **bounds, pid=pid, **more))

    def warm(pid: int, asked: Sequence[str] = paths) -> None:
        for _ in range(2):  # the first answer waits for the model, the first list for its rules
            few = {"seconds": 2, "connections": 2, "pid": pid}
            asyncio.run(measure(port, asked, made.secret, **few))

    real = (
        "from pathlib import Path; from lingxi.server.serve import serve; "
        f"serve(Path({str(chosen.shop.resolve())!r}), host={HOST!r}, port={port})"
    )
    free = {"LINGXI_SERVER_REQUESTS_PER_MINUTE": "0"}
    place = f"/v1/placements/{chosen.placement}/recommendations?customer_id="
    placed = [place + quote(row.customer_id) for row in page.rows]
    nothing = {"LINGXI_SERVER_RECOMMENDATION_MEMORY_MB": "0"}
    settings = {
        "ask again": {},
        "worked out anew": nothing,
        "read and worked out anew": {**nothing, "LINGXI_SERVER_HISTORY_MEMORY_MB": "0"},
    }
    loads = {}
    for words, environment in settings.items():
        with run_server(real, port, **free, **environment) as pid:
            for name, asked in (("customers", paths), (chosen.placement, placed)):
                warm(pid, asked)
                ask(pid, asked)  # everybody has asked once
                full = ask(pid, asked)
                loads[f"{name}: {words}"] = full, ask(pid, asked, pace=full.rate / 2)
    ceilings = measure_ceilings(port, next(iter(loads.values()))[0].body_bytes, warm, ask)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python "
        f"{platform.python_version()}, {events:,} events, {page.total:,} customers, "
        f"{chosen.connections} connections, {chosen.seconds:g} s each, client on the same cores"
    )
    report(loads, ceilings)


def measure_ceilings(
    port: int, body_bytes: int, warm: Callable[[int], None], ask: Callable[[int], Load]
) -> dict[str, Load]:
    """The bare servers: the same worker count, a constant answer of the same size."""
    size = {SIZE_VARIABLE: str(body_bytes)}
    ceilings = {}
    for name, target in (("bare granian", "constant"), ("Litestar", "make_litestar")):
        code = (
            "import sys; sys.path.insert(0, '.'); from granian import Granian; "
            f"Granian('serve_recommendations:{target}', address={HOST!r}, port={port}, "
            f"interface='asgi', websockets=False, factory={target == 'make_litestar'}).serve()"
        )
        with run_server(code, port, **size) as pid:
            warm(pid)
            ceilings[name] = ask(pid)
    return ceilings


def report(loads: Mapping[str, tuple[Load, Load]], ceilings: Mapping[str, Load]) -> None:
    """Say what each load came to, full and at half of that, and its share of each ceiling."""
    for name, (full, half) in loads.items():
        print(full.describe(name))
        print(half.describe("  half of that, evenly"))
    for name, ceiling in ceilings.items():
        print(ceiling.describe(f"constant answer, {name}"))
        for word, (load, _) in loads.items():
            rate, cost = load.rate / ceiling.rate, ceiling.cost / load.cost
            print(f"  share of it, {word}: {rate:.1%} ({cost:.1%} by processor time)")


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
