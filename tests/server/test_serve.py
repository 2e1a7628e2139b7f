"""The real server in its own process: started, asked, told to stop, its worker killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from granian.constants import Interfaces

from lingxi.access import Scope, create_key
from lingxi.app.shop import Shop
from lingxi.config import Settings
from lingxi.errors import Conflict, InvalidSetting, ShopNotFound
from lingxi.server.companions import companions
from lingxi.server.serve import TARGET, _Server, check_address, serve

HOST = "127.0.0.1"
PATIENCE_SECONDS = 240  # of a machine that does other things too


@contextmanager
def running(folder: Path, errors: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    code = (
        "from pathlib import Path; from urllib.request import urlopen; "
        "from lingxi.server.serve import serve; "
        f"told = open({str(errors.with_suffix('.ready'))!r}, 'a', 1); "
        f"ask = lambda: urlopen('http://{HOST}:{port}/health/live').status; "
        f"serve(Path({str(folder)!r}), host={HOST!r}, port={port}, "
        "ready=lambda: told.write(f'{ask()};'))"
    )
    with errors.open("wb") as log:
        child = subprocess.Popen([sys.executable, "-c", code], stderr=log, stdout=log)
    try:
        address = f"http://{HOST}:{port}"
        wait_until_ready(address)
        yield child, address
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def wait_until_ready(address: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def worker_of(child: subprocess.Popen[bytes]) -> int:
    """The process that answers: the child's child that is not Python's own bookkeeper."""
    found = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    for each in found:
        if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes():
            return int(each)
    raise AssertionError("no worker")


def test_the_server_answers_survives_its_worker_and_stops_when_told(
    new_demo_folder: Callable[[], Path], tmp_path: Path
) -> None:
    folder = new_demo_folder()
    shop = Shop.open(folder, environ={})
    with shop.store.write() as tx:
        made = create_key(tx, shop.clock.now(), "t", [Scope.ADMIN], actor="test")
    (customer, *_) = shop.answers.customers(n=1).rows
    shop.close()
    headers = {"authorization": f"Bearer {made.secret}", "accept-encoding": "identity"}
    errors = tmp_path / "stderr"
    path = f"/v1/recommendations/{customer.customer_id}"
    with running(folder, errors) as (child, address):
        answer = httpx.get(address + path, headers=headers)
        assert answer.status_code == 200
        assert answer.json()["known"] is True
        assert httpx.get(address + path).status_code == 401
        odd = httpx.get(f"{address}/v1/items/%00%ff%ed%a0%80", headers=headers)
        assert odd.status_code in (400, 404)

        os.kill(worker_of(child), signal.SIGKILL)
        wait_until_ready(address)
        assert httpx.get(address + path, headers=headers).status_code == 200

        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE_SECONDS) == 0
    assert errors.with_suffix(".ready").read_text() == "200;"  # once, and not before it answers
    lines = [json.loads(line) for line in errors.read_text().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert {"route", "status", "ms", "request_id", "actor"} <= requests[-1].keys()
    assert made.secret not in errors.read_text()
    assert path not in errors.read_text()  # an identifier is a person


def test_a_request_that_never_ends_holds_the_end_up_for_seconds(
    new_demo_folder: Callable[[], Path], tmp_path: Path
) -> None:
    """Half a request was waited for 20 seconds, and only then were the companions told to stop."""
    with running(new_demo_folder(), tmp_path / "stderr") as (child, address):
        with socket.create_connection((HOST, int(address.rpartition(":")[2]))) as half:
            half.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n")
            time.sleep(1)
            told_at = time.monotonic()
            child.send_signal(signal.SIGTERM)
            assert child.wait(PATIENCE_SECONDS) == 0
        assert time.monotonic() - told_at < 18


def test_companions_are_told_to_stop_before_the_worker_has_ended(tmp_path: Path) -> None:
    server = _Server(TARGET, interface=Interfaces.ASGI)
    assert not server.told_to_stop.is_set()
    server.signal_handler_interrupt()
    assert server.told_to_stop.is_set()
    settings = Settings(folder=tmp_path)
    with companions(settings, after=server.told_to_stop, stop=server.told_to_stop):
        pass  # none was begun, and none is waited for


def test_a_port_in_use_is_refused_with_advice() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} on {HOST} is in use"):
            check_address(HOST, port)
    check_address(HOST, port)


@pytest.mark.parametrize(("host", "port"), [(HOST, 0), (HOST, 70_000), ("192.0.2.1", 8787)])
def test_an_address_that_is_not_ours_is_refused(host: str, port: int) -> None:
    with pytest.raises(InvalidSetting):
        check_address(host, port)


def test_a_folder_without_a_shop_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ShopNotFound):
        serve(tmp_path)
