"""The collector over HTTP: requests and durable events a second, latencies, memory.

    python benchmarks/collect_throughput.py [--ids 30000000] [--seconds 10] [--minutes 0]

One ``lingxi serve`` and one load generator on this machine, beside the ceilings of the same run:
the bare server (the same Litestar and granian, one worker, the same request bytes, a constant
answer) and a loop that only decodes and inserts into a log of the same size.
"""

import argparse
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

from collect_bare import RUN
from collect_ceiling import insert_all
from collect_load import HOST, drive
from collect_messages import make_batches, make_messages
from collect_prefill import prefill
from lingxi.access.sources import SourceKind, create_source
from lingxi.app.shop import Shop, init_shop
from lingxi.server.companions import stand_back

_START_SECONDS = 60
_SINGLES, _BATCHES = 64, 16
"""Connections of the load generator."""
_WRITER = """
import sqlite3, sys, time
from lingxi.store.engine import open_engine
engine = open_engine(sys.argv[1], lock_timeout_seconds=30)
raw = engine.raw_connection().driver_connection
raw.execute("CREATE TABLE IF NOT EXISTS bench_run (id INTEGER PRIMARY KEY, state, due)")
done, held, turn = 0, 0.0, 0
stop = time.monotonic() + float(sys.argv[2])
while time.monotonic() < stop:
    rows = [((turn * 100 + i) % 50000, "waiting", turn) for i in range(100)]
    raw.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    raw.executemany("INSERT OR REPLACE INTO bench_run VALUES (?, ?, ?)", rows)
    raw.execute("COMMIT")
    took = time.monotonic() - begin
    done, held, turn = done + 100, max(held, took), turn + 1
    time.sleep(took)
print(done / float(sys.argv[2]), held * 1000)
"""
"""Commits as journey workers do: 100 rows prepared before BEGIN, then a pause as long again."""


@contextmanager
def run_process(arguments: list[str], port: int, path: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server in its own process group, until the block ends."""
    child = subprocess.Popen(
        arguments,
        cwd=Path(__file__).parent,
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
        start_new_session=True,
    )
    try:
        _wait_for(port, path)
        yield child
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(30)


def _wait_for(port: int, path: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        try:
            connection = HTTPConnection(HOST, port, timeout=1)
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


@dataclass(frozen=True)
class Memory:
    """Resident megabytes: what processes have for themselves, and their pages of files."""

    own: float = 0.0
    files: float = 0.0

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.own + other.own, self.files + other.files)


def read_memory(pid: int) -> dict[str, Memory]:
    """Resident memory of a process, its children and theirs, by what they are."""
    sizes: dict[int, Memory] = {}
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        own = int(fields["Pid"])
        parents[own] = int(fields["PPid"])
        parts = (
            int(fields.get(f"Rss{kind}", "0 kB").split()[0]) / 1024 for kind in ("Anon", "File")
        )
        sizes[own] = Memory(*parts)
    wanted = {pid}
    while more := {own for own, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    found: dict[str, Memory] = {}
    for each in sorted(wanted & sizes.keys()):
        kind = _name_process(each)
        found[kind] = found.get(kind, Memory()) + sizes[each]
    return found


def _name_process(own: int) -> str:
    try:
        command = Path(f"/proc/{own}/cmdline").read_bytes()
    except OSError:
        command = b""
    signs = {"worker": b"spawn_main", "cleaner": b"ingest.beside", "work": b"\0work\0"}
    return next((kind for kind, sign in signs.items() if sign in command), "others")


def report(label: str, found: dict[str, float], size: int) -> float:
    """Print one measurement; its requests a second."""
    rate = found["requests"] / found["elapsed"]
    print(
        f"{label:42} {rate:8,.0f} req/s {rate * size:9,.0f} events/s   p50 {found['p50']:6.1f} ms"
        f"   p99 {found['p99']:6.1f} ms   p99.9 {found['p999']:6.1f} ms   worst "
        f"{found['worst']:6.0f} ms   refused {found['refused']:.0f}"
        f"   load generator {found['cpu'] / found['elapsed']:.0%} of a core",
        flush=True,
    )
    return rate


def make_shop(folder: Path, ids: int) -> tuple[str, str]:
    """A new shop with so many events; its database's address and a write key."""
    shop = init_shop(folder, name="Bench", currency="GBP", timezone="UTC", language="en")
    if ids:
        print(f"{ids:,} events put into the log in {prefill(shop.store, ids):.0f} s", flush=True)
    with shop.store.write() as tx:
        keyring, now = shop.store.keyring, shop.clock.now()
        source = create_source(tx, keyring, now, "bench", SourceKind.WEB, actor="benchmark")
    shop.close()
    return shop.settings.database_url, source.write_key


def count_events(folder: Path) -> int:
    """Events in the log."""
    shop = Shop.open(folder)
    position = shop.store.log.position()
    shop.close()
    return position


def measure_bare(options: argparse.Namespace) -> dict[int, float]:
    """Requests a second of the bare server, by messages a request."""
    rates = {}
    arguments = [sys.executable, "-c", RUN, str(options.port + 1)]
    with run_process(arguments, options.port + 1, "/"):
        for size, connections in ((1, _SINGLES), (100, _BATCHES)):
            load = {"size": size, "connections": connections, "seconds": options.seconds}
            drive(options.port + 1, "key", **{**load, "seconds": 1})
            found = drive(options.port + 1, "key", **load)
            rates[size] = report(f"bare server, {size} a request", found, size)
    return rates


def measure_shop(options: argparse.Namespace, folder: Path, bare: dict[int, float]) -> float:
    """Measure the collector; events a second in batches."""
    address, key = make_shop(folder, options.ids)
    arguments = [sys.executable, "-m", "lingxi.cli", "serve", "--shop", str(folder)]
    events = 0.0
    with run_process([*arguments, "--port", str(options.port)], options.port, "/health") as server:
        for size, connections in ((1, _SINGLES), (100, _BATCHES)):
            load = {"size": size, "connections": connections, "seconds": options.seconds}
            drive(options.port, key, **{**load, "seconds": 2})
            before = count_events(folder)
            found = drive(options.port, key, **load)
            rate = report(f"collector, {size} a request", found, size)
            kept = count_events(folder) - before
            events = kept / found["elapsed"]
            print(
                f"{'':42} {rate / bare[size]:.0%} of the bare server; {events:,.0f} events/s in the"
                f" log ({kept:,} of {found['requests'] * size:,.0f} answered)"
            )
            _measure_half(options, key, address, load, rate)
        if options.minutes:
            _measure_memory(options, folder, key, server.pid)
    return events


def _measure_half(
    options: argparse.Namespace, key: str, address: str, load: dict[str, float], rate: float
) -> None:
    size = int(load["size"])
    half = {**load, "rate": rate / 2}
    report(f"  half of that, {size} a request", drive(options.port, key, **half), size)
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, address, str(options.seconds)],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        stand_back(writer.pid)  # as the server has its own workers do
        report("  half, beside a journey worker", drive(options.port, key, **half), size)
        said = writer.communicate()[0].split()
    print(f"{'':42} the worker: {float(said[0]):,.0f} rows/s, held {said[1]:.4} ms at most")


def _measure_memory(options: argparse.Namespace, folder: Path, key: str, pid: int) -> None:
    """Memory and events while the server is fully loaded, some twenty times."""
    found: list[dict[str, float]] = []
    load = {"size": 100, "connections": _BATCHES, "seconds": 60 * options.minutes}
    thread = threading.Thread(target=lambda: found.append(drive(options.port, key, **load)))
    before = _read_position(folder)
    thread.start()
    begin = time.monotonic()
    while True:
        parts = read_memory(pid)
        whole = sum(parts.values(), Memory())
        each = ", ".join(f"{kind} {part.own:.0f}" for kind, part in sorted(parts.items()))
        minutes, events = (time.monotonic() - begin) / 60, _read_position(folder) - before
        print(
            f"  {minutes:5.1f} min {events:11,} events {whole.own + whole.files:7.0f} MB resident:"
            f" {whole.files:.0f} of files, {each}",
            flush=True,
        )
        if not thread.is_alive():
            break
        thread.join(max(10.0, 3 * options.minutes))
    report(f"full load for {options.minutes} minutes", found[0], 100)


def _read_position(folder: Path) -> int:
    """The last position of the log; of a server that runs, without opening the shop beside it."""
    with closing(sqlite3.connect(folder / "data" / "state.sqlite", timeout=30)) as raw:
        found: int | None = raw.execute("SELECT max(position) FROM event").fetchone()[0]
    return found or 0


def measure_ceiling(folder: Path, events: int, rate: float) -> None:
    """The loop that only decodes and inserts, into the same log: with and without each id once."""
    place = folder / "data" / "state.sqlite"
    for seed, tree, label in ((77, False, "alone"), (78, True, "with a tree of ids")):
        bodies = list(make_batches(make_messages(events, seed=seed)))
        ceiling = events / insert_all(place, bodies, 1_000, tree=tree)
        print(f"{'decode and insert ' + label:42} {ceiling:24,.0f} events/s")
        print(f"{'':42} the collector does {rate / ceiling:.0%} of it")


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ids", type=int, default=0, help="events in the log beforehand")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--minutes", type=float, default=0.0, help="of full load, for the memory")
    parser.add_argument("--port", type=int, default=18790)
    parser.add_argument("--folder", default=None, help="where the files go; a temporary folder")
    options = parser.parse_args()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"{datetime.now(UTC):%F %R} UTC, {os.cpu_count()} cores, {platform.platform()}, {commit}")
    bare = measure_bare(options)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        rate = measure_shop(options, folder, bare)
        measure_ceiling(folder, 50_000, rate)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
