"""A disk that is full, read-only or damaged: refused, nothing lost, and well again by itself."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from ingest.conftest import NOW, Bench
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import StoreUnavailable
from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Message
from lingxi.ingest.tables import metadata
from lingxi.store import Store

MakeBench = Callable[[], Bench]


def views(first: int, n: int) -> list[Message]:
    bodies = [
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": f"m{number}",
            "userId": f"u{number % 7}",
            "properties": {"product_id": f"p{number}", "category": "x" * 400},
        }
        for number in range(first, first + n)
    ]
    return [
        Message(body=body, raw=msgspec.json.encode(body), received_at=NOW, source="web")
        for body in bodies
    ]


@contextmanager
def no_file_grows_past(size: int) -> Iterator[None]:
    """What a full disk does to a file, without one: writing past the limit fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def ids(store: Store) -> list[str]:
    return sorted(e.event_id for e in store.log.read())


def test_a_full_disk_refuses_and_takes_again_once_there_is_room(make_bench: MakeBench) -> None:
    bench = make_bench()
    intake = Intake(bench.store, bench.settings, bench.clock)
    taken = 0
    intake.take(views(0, 10))
    place = bench.settings.folder / "data" / "state.sqlite-wal"
    refused = 0
    with no_file_grows_past(place.stat().st_size + 400_000):
        for turn in range(30):
            try:
                intake.take(views(10 + 100 * turn, 100))
                taken = 100 * (turn + 1)
            except StoreUnavailable:
                refused += 1
    assert refused > 0
    expected = sorted(f"web:m{number}" for number in range(10 + taken))
    assert ids(bench.store) == expected  # neither more nor less than what was acknowledged
    outcomes = intake.take(views(10 + taken, 100))
    assert {o.result for o in outcomes} == {"stored"}
    assert len(ids(bench.store)) == 110 + taken


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, 12 MB; it takes the right to mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a file system")
    options = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)]
    if subprocess.run(options, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def open_intake(folder: Path) -> tuple[Store, Intake]:
    settings, clock = Settings(folder=folder), FixedClock(NOW)
    store = Store.open(settings, clock, tables=[metadata])
    return store, Intake(store, settings, clock)


def fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb") as file:
        while file.write(b"x" * 65_536):
            file.flush()


def test_a_file_system_without_room_is_survived(small_disk: Path) -> None:
    store, intake = open_intake(small_disk / "shop")
    intake.take(views(0, 50))
    ballast = small_disk / "ballast"
    fill(ballast)
    refused = 0
    taken = 50
    for turn in range(40):
        try:
            intake.take(views(1_000 * (turn + 1), 100))
            taken += 100
        except StoreUnavailable:
            refused += 1
    assert refused > 0
    assert len(ids(store)) == taken
    ballast.unlink()
    assert {o.result for o in intake.take(views(100_000, 100))} == {"stored"}
    assert len(ids(store)) == taken + 100
    store.close()


def test_a_read_only_disk_refuses_until_it_can_be_written(small_disk: Path) -> None:
    store, intake = open_intake(small_disk / "shop")
    intake.take(views(0, 50))
    store.close()

    def remount(how: str) -> None:
        command = ["mount", "-o", f"remount,{how}", str(small_disk)]
        subprocess.run(command, check=True, capture_output=True)

    remount("ro")
    with pytest.raises(StoreUnavailable):
        open_intake(small_disk / "shop")
    remount("rw")
    store, intake = open_intake(small_disk / "shop")
    assert {o.result for o in intake.take(views(0, 60))} == {"duplicate", "stored"}
    assert len(ids(store)) == 60
    store.close()


@pytest.mark.parametrize("tail", [b"\x00" * 5_000, os.urandom(3_333), b"x"])
def test_a_torn_tail_of_the_write_ahead_log_costs_nothing_acknowledged(
    make_bench: MakeBench, tmp_path: Path, tail: bytes
) -> None:
    bench = make_bench()
    Intake(bench.store, bench.settings, bench.clock).take(views(0, 200))
    copied = tmp_path / "after-the-crash"
    shutil.copytree(bench.settings.folder, copied)  # as kill -9 would leave it: nothing is closed
    with (copied / "data" / "state.sqlite-wal").open("ab") as wal:
        wal.write(tail)
    store, intake = open_intake(copied)
    assert len(ids(store)) == 200
    assert {o.result for o in intake.take(views(150, 100))} == {"duplicate", "stored"}
    assert len(ids(store)) == 250
    store.close()


def test_a_damaged_database_is_refused_and_said(make_bench: MakeBench) -> None:
    bench = make_bench()
    Intake(bench.store, bench.settings, bench.clock).take(views(0, 400))
    bench.store.close()
    place = bench.settings.folder / "data" / "state.sqlite"
    whole = place.read_bytes()
    place.write_bytes(whole[:4_096] + os.urandom(len(whole) - 4_096))
    with pytest.raises(StoreUnavailable, match="damaged"):
        open_intake(bench.settings.folder)[1].take(views(1_000, 5))
