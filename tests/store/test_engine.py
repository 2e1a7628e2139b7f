"""What goes wrong below comes up as a sentence that says what to do."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from lingxi.clock import FixedClock
from lingxi.config import Settings, StoreSettings
from lingxi.errors import InvalidSetting, MissingExtra, StoreBusy, StoreUnavailable
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.engine import begin_read, open_engine

Make = Callable[..., Event]


def open_at(folder: Path, clock: FixedClock, url: str = "") -> Store:
    settings = StoreSettings(url=url, lock_timeout_seconds=0.2)
    store = Store.open(Settings(folder=folder, store=settings), clock)
    store.create_tables()
    return store


def test_a_long_writer_makes_others_busy(tmp_path: Path, clock: FixedClock, events: Make) -> None:
    store, other = open_at(tmp_path, clock), open_at(tmp_path, clock)
    with store.write() as tx:
        store.log.append([events(1)], tx=tx)
        with pytest.raises(StoreBusy, match="try again"):
            other.log.append([events(2)])
        assert other.log.read() == []  # readers never wait
    assert other.log.append([events(2)]).inserted == 1


def test_an_eager_writer_waits_for_the_lock_and_not_for_ever(
    tmp_path: Path, clock: FixedClock, events: Make
) -> None:
    store, other = open_at(tmp_path, clock), open_at(tmp_path, clock)
    with store.write() as tx:
        store.log.append([events(1)], tx=tx)
        with pytest.raises(StoreBusy, match="try again"), other.write(eager=True):
            raise AssertionError("the lock was held")
    with other.write(eager=True) as tx:
        other.log.append([events(2)], tx=tx)
    with other.write() as tx:
        assert tx.exec_driver_sql("PRAGMA busy_timeout").scalar() == 200
    assert store.log.count() == 2


def test_a_lock_asked_for_again_and_again_leaves_nothing_behind(
    tmp_path: Path, clock: FixedClock
) -> None:
    """Each time it was refused left a dozen objects that hold one another, for the cycle collector:
    some thousand times a second beside another writer."""
    store, other = open_at(tmp_path, clock), open_at(tmp_path, clock)
    told: list[str] = []
    event.listen(other.engine, "before_cursor_execute", lambda *args: told.append(args[2]))
    with store.write(), pytest.raises(StoreBusy), other.write(eager=True):
        raise AssertionError("the lock was held")
    assert told.count("BEGIN IMMEDIATE") == 1


def test_an_eager_writer_keeps_its_connection_until_something_fails(
    tmp_path: Path, clock: FixedClock, events: Make
) -> None:
    store = open_at(tmp_path, clock)

    def write(number: int, *, eager: bool = True) -> tuple[object, int]:
        """Who wrote, and how long it would wait by itself."""
        with store.write(eager=eager) as tx:
            store.log.append([events(number)], tx=tx)
            patience = tx.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            return tx.connection.driver_connection, patience

    def fail() -> None:
        with store.write(eager=True) as tx:
            store.log.append([events(9)], tx=tx)
            tx.execute(text("INSERT INTO identity (subject) VALUES (1)"))

    kept, patience = write(1)
    assert patience == 0
    assert write(2) == (kept, 0)
    other, patience = write(3, eager=False)
    assert other is not kept
    assert patience == 200
    with pytest.raises(IntegrityError):
        fail()
    with store.write() as tx:  # the pool's latest is the one that failed
        store.log.append([events(4)], tx=tx)
        assert tx.connection.driver_connection is kept
        assert tx.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 200
    assert write(5)[1] == 0
    assert {e.event_id for e in store.log.read()} == {events(n).event_id for n in range(1, 6)}


def test_an_eager_writer_ends_its_transaction_where_the_store_is_closed_meanwhile(
    tmp_path: Path, clock: FixedClock, events: Make
) -> None:
    store = open_at(tmp_path, clock)
    with store.write(eager=True) as tx:
        store.log.append([events(1)], tx=tx)
        first = tx.connection.driver_connection
    with store.write(eager=True) as tx:
        assert tx.connection.driver_connection is first
        store.close()
        store.log.append([events(2)], tx=tx)
    assert isinstance(first, sqlite3.Connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        first.execute("SELECT 1")
    with store.write(eager=True) as tx:
        store.log.append([events(3)], tx=tx)
        last = tx.connection.driver_connection
    store.close()
    assert isinstance(last, sqlite3.Connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        last.execute("SELECT 1")
    assert store.log.count() == 3
    store.close()


def test_eager_writers_of_one_engine_wait_for_each_other(
    tmp_path: Path, clock: FixedClock, events: Make
) -> None:
    store = open_at(tmp_path, clock)
    with store.write(eager=True) as tx:
        store.log.append([events(1)], tx=tx)
        with pytest.raises(StoreBusy, match="try again"), store.write(eager=True):
            raise AssertionError("the lock was held")
    with store.write(eager=True) as tx:
        store.log.append([events(2)], tx=tx)
    assert store.log.count() == 2


@pytest.mark.engine
def test_a_long_writer_makes_others_busy_on_postgres(
    tmp_path: Path, clock: FixedClock, events: Make, postgres_url: str
) -> None:
    store, other = (open_at(tmp_path / n, clock, postgres_url) for n in "ab")
    with store.write() as tx:
        store.log.append([events(1)], tx=tx)
        with pytest.raises(StoreBusy, match="try again"):
            other.log.append([events(2)])
    store.close()
    other.close()


def test_a_damaged_database_is_said_to_be(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_at(tmp_path, clock)


def test_a_full_disk_is_said_to_be(tmp_path: Path, clock: FixedClock, events: Make) -> None:
    store = open_at(tmp_path, clock)
    with store.read() as tx:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
    raw = store.engine.raw_connection()
    raw.cursor().execute(f"PRAGMA max_page_count = {pages}")
    raw.close()
    with pytest.raises(StoreUnavailable, match="disk is full"):
        store.log.append([events(n) for n in range(900)])
    assert store.log.count() == 0


def test_a_folder_that_is_a_file_is_said_to_be(tmp_path: Path, clock: FixedClock) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="data"):
        open_at(tmp_path, clock)


def test_a_read_only_database_is_said_to_be(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    open_at(tmp_path, clock).close()
    place = tmp_path / "data" / "state.sqlite"
    engine = open_engine(f"sqlite:///file:{place}?mode=ro&uri=true", lock_timeout_seconds=0.2)
    with pytest.raises(StoreUnavailable, match="read-only"), engine.begin() as connection:
        connection.execute(text("DELETE FROM event"))
    engine.dispose()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "keys"]  # no folder "file:"


def test_an_unreachable_database_is_said_to_be(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql://x@/x?host={tmp_path}", lock_timeout_seconds=0.2)
    with pytest.raises(StoreUnavailable, match=r"store\.url"), begin_read(engine):
        pass


def test_a_broken_constraint_stays_what_it_is(tmp_path: Path, clock: FixedClock) -> None:
    store = open_at(tmp_path, clock)
    with pytest.raises(IntegrityError), store.write() as tx:
        tx.execute(text("INSERT INTO identity (subject) VALUES (1)"))


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match=r"store\.url"):
        open_engine(url, lock_timeout_seconds=1)


def test_postgres_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"pip install 'lingxi\[postgres\]'"):
        open_engine("postgresql://x/y", lock_timeout_seconds=1)


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path, clock: FixedClock) -> None:
    store = open_at(tmp_path, clock)
    with store.read() as tx:
        settings = {
            name: tx.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }
    assert sqlite3.sqlite_version_info >= (3, 35)
