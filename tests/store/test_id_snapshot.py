"""The file of known ids: used where it belongs to this log, and only there."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from lingxi.clock import SystemClock
from lingxi.config import Settings
from lingxi.schema import Event
from lingxi.store import Store, id_runs, id_snapshot
from lingxi.store import message_ids as room
from lingxi.store.engine import open_engine
from lingxi.store.id_snapshot import find_place, read_snapshot, write_snapshot
from lingxi.store.log import find_known
from lingxi.store.message_ids import message_ids
from lingxi.store.tables import id_run

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (room, id_runs):
        monkeypatch.setattr(module, "RUN", 8)
    monkeypatch.setattr(id_runs, "_FAN", 2)
    monkeypatch.setattr(id_runs, "_KEPT_EVERY", 4)
    monkeypatch.setattr(id_snapshot, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A log of 96 messages, closed, with a snapshot beside it."""
    write(tmp_path / "one", "a")
    return tmp_path


def write(folder: Path, letter: str) -> None:
    store = open_store(folder)
    for start in range(0, 96, 6):
        ids = [f"web:{letter}{number}" for number in range(start, start + 6)]
        store.log.append(
            [Event(event_id=i, name="Seen", occurred_at=AT, received_at=AT) for i in ids]
        )
    runs = runs_of(store)
    assert runs._keeping is not None
    runs._keeping.join()
    store.close()


def open_store(folder: Path) -> Store:
    return Store.open(Settings(folder=folder), SystemClock(), tables=[sa.MetaData()])


def runs_of(store: Store) -> id_runs.Runs:
    with store.read() as tx:
        known = message_ids(tx)
        known.load(tx)
    assert known._runs is not None
    return known._runs


def knows(store: Store, letter: str) -> int:
    with store.read() as tx:
        return len(find_known(tx, [f"web:{letter}{number}" for number in range(96)]))


def test_a_start_reads_only_the_runs_after_the_snapshot(folder: Path) -> None:
    store = open_store(folder / "one")
    with store.write() as tx:  # what is not asked for need not be there
        tx.execute(sa.delete(id_run).where(id_run.c.number < 3))
    runs = runs_of(store)
    assert runs._kept >= 4
    assert runs.closed >= runs._kept
    assert knows(store, "a") == 96
    assert knows(store, "b") == 0
    store.close()


def test_the_snapshot_of_another_log_is_not_used(folder: Path) -> None:
    write(folder / "two", "b")
    for name in ("message_ids.bin",):
        shutil.copy(folder / "two" / "data" / name, folder / "one" / "data" / name)
    store = open_store(folder / "one")
    assert (knows(store, "a"), knows(store, "b")) == (96, 0)
    store.close()


def test_a_log_that_went_back_to_an_older_state_does_not_use_it(folder: Path) -> None:
    store = open_store(folder / "one")
    with store.write() as tx:
        tx.execute(sa.delete(id_run).where(id_run.c.number >= 3))
    assert runs_of(store)._kept == 0
    assert knows(store, "a") == 96
    store.close()


@pytest.mark.parametrize("damage", ["cut", "longer", "empty", "foreign", "missing"])
def test_a_damaged_file_is_left_alone(folder: Path, damage: str) -> None:
    place = folder / "one" / "data" / "message_ids.bin"
    whole = place.read_bytes()
    if damage == "missing":
        place.unlink()
    else:
        texts = {"cut": whole[:-8], "longer": whole + b"x" * 8, "empty": b""}
        place.write_bytes(texts.get(damage, b"something" + whole))
    assert read_snapshot(place) is None
    store = open_store(folder / "one")
    assert knows(store, "a") == 96
    store.close()


def test_what_is_written_is_read_and_half_a_file_is_cleared_away(tmp_path: Path) -> None:
    place = tmp_path / "message_ids.bin"
    parts = [(2, np.arange(50, dtype=np.uint64)), (0, np.array([3, 9], dtype=np.uint64))]
    half = tmp_path / "message_ids.bin.1"
    half.write_bytes(b"x")
    os.utime(half, (0, 0))
    write_snapshot(place, 7, b"d" * 16, parts)
    assert [each.name for each in tmp_path.iterdir()] == ["message_ids.bin"]
    found = read_snapshot(place)
    assert found is not None
    runs, last, again = found
    assert (runs, last, [level for level, _ in again]) == (7, b"d" * 16, [2, 0])
    assert all((a[1] == b[1]).all() for a, b in zip(parts, again, strict=True))


def test_only_a_file_on_disk_has_a_snapshot_beside_it(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/x.sqlite", lock_timeout_seconds=1)
    assert find_place(engine) == tmp_path / "message_ids.bin"
    engine.dispose()
    memory = sa.create_engine("sqlite://")
    assert find_place(memory) is None
    memory.dispose()
