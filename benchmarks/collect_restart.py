"""Seconds from kill -9 under load until a message is on disk again.

    python benchmarks/collect_restart.py [--ids 30000000] [--rounds 5] [--shop DIR --key KEY]

Supervisor, worker and every process beside them are killed while batches arrive; then ``lingxi
serve`` is started again, and a message sent until it is answered 200. ``--worker`` kills the worker
alone, which the supervisor then starts again.
"""

import argparse
import base64
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread

from collect_load import HOST, drive
from collect_throughput import make_shop

_LOAD_SECONDS, _KILLED_AFTER = 6.0, 4.0


def start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    """The server in its own process group."""
    return subprocess.Popen(
        [sys.executable, "-m", "lingxi.cli", "serve", "--shop", str(folder), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for_200(port: int, key: str) -> float:
    """Seconds until a message is taken."""
    begin = time.monotonic()
    basic = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
    message = {"event": "Restarted", "userId": "u1", "messageId": f"r-{time.time_ns()}"}
    while time.monotonic() - begin < 60:
        try:
            connection = HTTPConnection(HOST, port, timeout=30)
            connection.request("POST", "/v1/track", json.dumps(message), headers)
            if connection.getresponse().status == 200:
                return time.monotonic() - begin
        except (OSError, HTTPException):
            pass
        time.sleep(0.01)
    raise RuntimeError("the server did not come back")


def find_worker(parent: int) -> int:
    """The process of the server's worker."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            line = (place / "cmdline").read_bytes()
            status = (place / "status").read_text()
        except OSError:
            continue
        if b"multiprocessing-fork" in line and f"\nPPid:\t{parent}\n" in status:
            return int(place.name)
    raise RuntimeError("the server has no worker")


def run(options: argparse.Namespace, folder: Path, key: str) -> None:
    """Kill and start again, and print how long each took."""
    server = start(folder, options.port)
    print(f"first start: {wait_for_200(options.port, key):.2f} s", flush=True)
    load = {"size": 100, "connections": 8, "seconds": _LOAD_SECONDS}
    for _ in range(options.rounds):
        thread = Thread(target=_drive_quietly, args=(options.port, key, load))
        thread.start()
        time.sleep(_KILLED_AFTER)
        if options.worker:
            os.kill(find_worker(server.pid), signal.SIGKILL)
        else:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        begin = time.monotonic()
        if not options.worker:
            server = start(folder, options.port)
        wait_for_200(options.port, key)
        print(f"after kill -9: {time.monotonic() - begin:.2f} s", flush=True)
        thread.join()
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def _drive_quietly(port: int, key: str, load: dict[str, float]) -> None:
    with suppress(RuntimeError):  # its server is killed
        drive(port, key, **load)


def main() -> None:
    """Print the seconds of each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ids", type=int, default=0, help="events in the log beforehand")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--port", type=int, default=18795)
    parser.add_argument("--worker", action="store_true", help="kill the worker alone")
    parser.add_argument("--shop", type=Path, default=None, help="a shop that is there already")
    parser.add_argument("--key", default="", help="a write key of it")
    parser.add_argument("--folder", default=None, help="where the files go; a temporary folder")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.platform()}, {os.getloadavg()[0]:.1f} load")
    if options.shop is not None:
        run(options, options.shop, options.key)
        return
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        run(options, folder, make_shop(folder, options.ids)[1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
