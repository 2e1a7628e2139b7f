"""A disk that is full or torn, seen over HTTP: 503, nothing lost, and well again by itself."""

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from live import HOST, count_stored, find_key, serve_shop

from lingxi.app.shop import Shop, init_shop

ENVIRON = {"LINGXI_COLLECT_REQUESTS_PER_SECOND": "0"}


def open_shop(folder: Path) -> Shop:
    shop = Shop.open(folder, environ=ENVIRON)
    shop.ensure_source()
    return shop


def make_shop(folder: Path) -> Shop:
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    return open_shop(folder)


class Sender:
    """Sends batches and keeps what was acknowledged."""

    def __init__(self, port: int, write_key: str) -> None:
        self.line = HTTPConnection(HOST, port, timeout=60)
        self.key = write_key
        self.acknowledged: set[str] = set()
        self.refused = 0
        self.next = 0

    def send(self, n: int = 40) -> int:
        names = [f"m{self.next + number}" for number in range(n)]
        self.next += n
        batch = [
            {
                "type": "track",
                "event": "Product Viewed",
                "messageId": name,
                "userId": f"u-{name}",
                "properties": {"product_id": name, "category": "x" * 400},
            }
            for name in names
        ]
        self.line.request("POST", "/v1/batch", json.dumps({"batch": batch, "writeKey": self.key}))
        answer = self.line.getresponse()
        told = json.loads(answer.read())
        if answer.status == 200:
            self.acknowledged |= set(names)
        else:
            self.refused += 1
            assert answer.status == 503, told
            assert int(answer.headers["retry-after"]) >= 1
            assert told["success"] is False
            assert told["error"]["code"].startswith("store_")
        return answer.status

    def is_alive(self) -> bool:
        self.line.request("GET", "/health/live")
        answer = self.line.getresponse()
        answer.read()
        return answer.status == 200


@contextmanager
def no_file_grows_past(size: int) -> Iterator[None]:
    """What a full disk does to a file, without one: writing past the limit fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def agree(shop: Shop, sender: Sender) -> None:
    """Everything acknowledged is stored once; nothing is stored twice."""
    stored = count_stored(shop)
    assert set(stored) >= sender.acknowledged
    assert set(stored.values()) <= {1}


def test_a_full_disk_is_503_until_there_is_room(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    with serve_shop(shop) as port:
        sender = Sender(port, find_key(shop))
        assert sender.send() == 200
        wal = shop.settings.folder / "data" / "state.sqlite-wal"
        with no_file_grows_past(wal.stat().st_size + 400_000):
            for _ in range(30):
                sender.send()
                if sender.refused > 3:
                    break
            assert sender.refused > 3
            assert sender.is_alive()
        agree(shop, sender)
        assert sender.send() == 200
        agree(shop, sender)
    shop.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 16 MB; it takes the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a file system")
    options = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if subprocess.run(options, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb") as file:
        while file.write(b"x" * 65_536):
            file.flush()


def test_a_file_system_without_room_is_503_until_it_has_some(small_disk: Path) -> None:
    shop = make_shop(small_disk / "shop")
    with serve_shop(shop) as port:
        sender = Sender(port, find_key(shop))
        assert sender.send() == 200
        ballast = small_disk / "ballast"
        fill(ballast)
        for _ in range(60):
            sender.send()
        assert sender.refused > 0
        assert sender.is_alive()
        ballast.unlink()
        assert sender.send() == 200
        agree(shop, sender)
    shop.close()


def test_a_database_that_cannot_be_written_is_503_until_it_can(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    with serve_shop(shop) as port:
        sender = Sender(port, find_key(shop))
        assert sender.send() == 200
        connection = shop.settings.folder / "data" / "state.sqlite-wal"
        with no_file_grows_past(min(connection.stat().st_size, 4_096)):
            assert [sender.send() for _ in range(4)] == [503] * 4
            assert sender.is_alive()
        assert sender.send() == 200
        agree(shop, sender)
    shop.close()


def test_a_torn_log_costs_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    shop = make_shop(tmp_path / "shop")
    copied = tmp_path / "after-the-crash"
    with serve_shop(shop) as port:
        sender = Sender(port, find_key(shop))
        for _ in range(5):
            assert sender.send() == 200
        shutil.copytree(shop.settings.folder, copied)  # as kill -9 would leave it
    shop.close()
    with (copied / "data" / "state.sqlite-wal").open("ab") as wal:
        wal.write(os.urandom(3_333))
    again = open_shop(copied)
    with serve_shop(again) as port:
        agree(again, sender)
        resent = Sender(port, find_key(again))
        assert resent.send(250) == 200
        stored = count_stored(again)
        assert len(stored) == 250
        assert set(stored.values()) == {1}
    again.close()
