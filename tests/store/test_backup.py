"""Backup and restore: consistent while writers run, checked, whole or absent, after kill -9 too."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep

import numpy as np
import pytest
from sqlalchemy import Table, insert, select

from lingxi.clock import FixedClock
from lingxi.config import Settings, StoreSettings
from lingxi.errors import Conflict, FileUnreadable, StoreUnavailable
from lingxi.schema import Event
from lingxi.store import Manifest, Store, backup, restore
from lingxi.store.codec import to_arrow
from lingxi.store.tables import identity
from lingxi.store.tables import metadata as store_metadata

Make = Callable[..., Event]


def fill(store: Store, events: Make) -> None:
    store.log.append([events(n, subject=n % 5 + 1) for n in range(80)])
    store.lake.roll()
    store.log.append([events(n, subject=n % 5 + 1) for n in range(80, 100)])
    with store.write() as tx:
        tx.execute(insert(identity), [{"subject": 2, "customer": 1, "known": True}])
        tx.execute(insert(note_of(store)), [{"body": {"a": [1, None]}, "at": store.clock.now()}])
    with store.artefacts.write("popularity") as writer:
        writer.save_array("scores", np.arange(4.0))
        writer.manifest = Manifest(chosen="popularity", events=100)


def contents(store: Store) -> object:
    """Everything a shop answers with."""
    with store.read() as tx:
        state = [
            tx.execute(select(p.table).order_by(*p.table.primary_key.columns)).all()
            for p in store.projections
        ]
        people = tx.execute(select(identity).order_by(identity.c.subject)).all()
        notes = tx.execute(select(note_of(store))).all()
    with store.analytics() as analytics:
        rows = analytics.to_arrow(analytics.events.order_by(["position", "line"])).to_pylist()
    model = store.artefacts.current("popularity")
    scores = None if model is None else model.load_array("scores").tolist()
    return store.log.read(), state, people, rows, scores, notes


def note_of(store: Store) -> Table:
    return store.projections[0].table.metadata.tables["test_note"]


class BackupContract:
    """Runs on the fixtures ``store`` and ``empty``: the settings of a shop without data."""

    def test_a_restored_shop_answers_the_same(
        self, store: Store, empty: Settings, events: Make, tmp_path: Path, clock: FixedClock
    ) -> None:
        fill(store, events)
        record = backup(store, tmp_path / "backup")
        assert record.position == 100
        restored = reopen(tmp_path / "backup", empty, clock, store)
        assert contents(restored) == contents(store)
        assert restored.log.append([events(0), events(200)]).inserted == 1
        assert restored.log.position() == 101
        with restored.write() as tx:
            tx.execute(insert(note_of(store)), [{"body": None}])
            numbers = tx.execute(select(note_of(store).c.id)).scalars().all()
        assert sorted(numbers) == [1, 2]
        restored.close()

    def test_erasures_since_the_backup_are_carried_out_again(
        self, store: Store, empty: Settings, events: Make, tmp_path: Path, clock: FixedClock
    ) -> None:
        fill(store, events)
        sealed = store.keyring.encrypt(1, "Ann")
        backup(store, tmp_path / "backup")
        store.forget(frozenset({2}))
        keys = empty.folder / "keys"
        keys.mkdir(parents=True)
        store.keyring.export(keys / "keys.sqlite")
        restored = reopen(tmp_path / "backup", empty, clock, store)
        assert {e.subject for e in restored.log.read()} == {3, 4, 5}
        assert contents(restored) == contents(store)
        assert restored.keyring.decrypt(1, sealed) is None
        with restored.write() as tx:
            assert restored.allocate(tx, "subject", 1).start > 2
        restored.close()

    def test_a_backup_taken_while_others_write_is_of_one_moment(
        self, store: Store, empty: Settings, events: Make, tmp_path: Path, clock: FixedClock
    ) -> None:
        stop = Flag()

        def write() -> None:
            n = 0
            while not stop.is_set():
                store.log.append([events(n + k) for k in range(20)])
                n += 20
                if n % 60 == 0:
                    store.lake.roll()

        writer = Thread(target=write)
        writer.start()
        while store.log.position() < 100:
            sleep(0.01)
        record = backup(store, tmp_path / "backup")
        stop.set()
        writer.join()
        restored = reopen(tmp_path / "backup", empty, clock, store)
        log = restored.log.read()
        assert [e.position for e in log] == list(range(1, record.position + 1))
        assert len(log) % 20 == 0
        with restored.read() as tx:
            row = tx.execute(select(restored.projections[0].table)).mappings().one()
        assert row["events"] == len(log)
        with restored.analytics() as analytics:
            rows = analytics.to_arrow(analytics.events)
        assert rows.num_rows == to_arrow(log).num_rows
        restored.close()

    def test_a_damaged_backup_is_refused(
        self, store: Store, empty: Settings, events: Make, tmp_path: Path, clock: FixedClock
    ) -> None:
        fill(store, events)
        backup(store, tmp_path / "backup")
        victim = next((tmp_path / "backup").rglob("*.parquet"))
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
        with pytest.raises(FileUnreadable, match=victim.name):
            reopen(tmp_path / "backup", empty, clock, store)
        assert not (empty.folder / "data").exists()


def reopen(source: Path, settings: Settings, clock: FixedClock, like: Store) -> Store:
    tables = [store_metadata, like.projections[0].table.metadata]
    restore(source, settings, clock, projections=like.projections, tables=tables)
    return Store.open(settings, clock, projections=like.projections)


class TestSQLite(BackupContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store

    @pytest.fixture
    def empty(self, tmp_path: Path) -> Settings:
        return Settings(folder=tmp_path / "new")


@pytest.mark.engine
class TestPostgres(BackupContract):
    @pytest.fixture
    def store(self, postgres_store: Store) -> Store:
        return postgres_store

    @pytest.fixture
    def empty(self, tmp_path: Path, new_database: Callable[[], str]) -> Settings:
        return Settings(folder=tmp_path / "new", store=StoreSettings(url=new_database()))


def test_a_backup_holds_no_key(sqlite_store: Store, events: Make, tmp_path: Path) -> None:
    fill(sqlite_store, events)
    sealed = sqlite_store.keyring.encrypt(1, "Ann")
    record = backup(sqlite_store, tmp_path / "backup")
    assert not any("keys" in name for name in record.files)
    assert sqlite_store.keyring.decrypt(1, sealed) == "Ann"


def test_a_backup_does_not_overwrite(sqlite_store: Store, tmp_path: Path) -> None:
    backup(sqlite_store, tmp_path / "backup")
    with pytest.raises(Conflict):
        backup(sqlite_store, tmp_path / "backup")


def test_a_restore_does_not_overwrite(
    sqlite_store: Store, tmp_path: Path, clock: FixedClock
) -> None:
    backup(sqlite_store, tmp_path / "backup")
    with pytest.raises(Conflict):
        restore(tmp_path / "backup", sqlite_store.settings, clock)


def test_a_damaged_lake_file_is_found_by_the_backup(
    sqlite_store: Store, events: Make, tmp_path: Path
) -> None:
    fill(sqlite_store, events)
    next(sqlite_store.lake.folder.rglob("*.parquet")).write_bytes(b"rot")
    with pytest.raises(StoreUnavailable, match="damaged"):
        backup(sqlite_store, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


APPEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from lingxi.clock import SystemClock
from lingxi.config import Settings
from lingxi.schema import Event
from lingxi.store import Store

store = Store.open(Settings(folder=Path(sys.argv[1])), SystemClock())
at = datetime(2026, 1, 1, tzinfo=UTC)
n = 0
while True:
    batch = [
        Event(event_id=f"k{n + k}", name="Viewed", occurred_at=at, received_at=at, subject=1)
        for k in range(50)
    ]
    store.log.append(batch)
    n += 50
    print(n, flush=True)
    if n % 500 == 0:
        store.lake.roll()
"""

BACKUP = """
import sys
from pathlib import Path
from lingxi.clock import SystemClock
from lingxi.config import Settings
from lingxi.store import Store, backup

store = Store.open(Settings(folder=Path(sys.argv[1])), SystemClock())
n = 0
while True:
    n += 1
    backup(store, Path(sys.argv[2]) / f"b{n}")
    print(n, flush=True)
"""


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    running: list[subprocess.Popen[str]] = []

    def run(code: str, *arguments: str) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True
        )
        running.append(child)
        return child

    yield run
    for child in running:
        child.kill()
        child.wait()


def kill_after(child: "subprocess.Popen[str]", lines: int, seconds: float) -> int:
    """Wait for some acknowledgements, then kill -9 at an arbitrary moment; the last number."""
    assert child.stdout is not None
    last = 0
    for _ in range(lines):
        last = int(child.stdout.readline())
    until = monotonic() + seconds
    while monotonic() < until:
        sleep(0.001)
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait()
    return int(rest[-1]) if rest else last


def test_nothing_acknowledged_is_lost_when_killed(
    sqlite_store: Store,
    tmp_path: Path,
    clock: FixedClock,
    start: Callable[..., "subprocess.Popen[str]"],
) -> None:
    """kill -9 while appending and while backing up, then backup and restore: exactly the
    acknowledged events, and perhaps the one batch whose acknowledgement was cut off."""
    shop, vault = str(sqlite_store.settings.folder), tmp_path / "vault"
    vault.mkdir()
    writing = start(APPEND, shop)
    saving = start(BACKUP, shop, str(vault))
    kill_after(saving, 1, 0.013)
    acknowledged = kill_after(writing, 20, 0.007)
    whole = [p for p in vault.iterdir() if not p.name.startswith(".")]
    record = backup(sqlite_store, vault / "last")
    for number, place in enumerate([*whole, vault / "last"]):
        settings = Settings(folder=tmp_path / f"again{number}")
        restore(place, settings, clock)
        restored = Store.open(settings, clock)
        ids = [e.event_id for e in restored.log.read(limit=10**6)]
        assert ids == [f"k{n}" for n in range(len(ids))]
        with restored.analytics() as analytics:
            rows = analytics.to_arrow(analytics.events.select("event_id").order_by("event_id"))
        assert rows["event_id"].to_pylist() == sorted(ids)
        restored.close()
    assert len(ids) == record.position
    assert acknowledged <= len(ids) <= acknowledged + 50
