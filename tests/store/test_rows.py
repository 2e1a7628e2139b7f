"""Rows written by the driver itself: what fails is told in words, and nothing of it stays."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lingxi.errors import StoreUnavailable
from lingxi.store.engine import begin_read, begin_write, open_engine
from lingxi.store.keyed import execute_rows
from lingxi.store.prepared import PreparedChange

TABLE = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("n", sa.Integer),
)
INSERT = "INSERT INTO thing (id, n) VALUES (?, ?)"


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = open_engine(f"sqlite:///{tmp_path}/s.sqlite", lock_timeout_seconds=5)
    TABLE.metadata.create_all(engine)
    return engine


@pytest.mark.parametrize("n", [1, 2, 3, 16, 21, 37])
def test_the_rows_are_there_and_counted(engine: sa.Engine, n: int) -> None:
    with begin_write(engine) as tx:
        assert execute_rows(tx, INSERT, [(i, 10 * i) for i in range(n)]) == n
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(TABLE)).all() == [(i, 10 * i) for i in range(n)]


def test_rows_of_one_key_are_added_in_their_order(engine: sa.Engine) -> None:
    text = f"{INSERT} ON CONFLICT (id) DO UPDATE SET n = 10 * thing.n + excluded.n"
    with begin_write(engine) as tx:
        assert execute_rows(tx, text, [(1, n) for n in (1, 2, 3, 4, 5)]) == 5
        ignored = f"{INSERT} ON CONFLICT (id) DO NOTHING"
        assert execute_rows(tx, ignored, [(2, 0), (1, 0), (2, 1)]) == 1
        assert tx.execute(sa.select(TABLE)).all() == [(1, 12345), (2, 0)]


def test_a_change_takes_its_rows_one_by_one(engine: sa.Engine) -> None:
    with begin_write(engine) as tx:
        execute_rows(tx, INSERT, [(i, 0) for i in range(4)])
        rows = [(7, 1), (8, 2), (9, 9)]
        assert execute_rows(tx, "UPDATE thing SET n = ? WHERE id = ?", rows) == 2
        text = f"{INSERT} ON CONFLICT (id) DO UPDATE SET n = ?"
        assert execute_rows(tx, text, [(3, 0, 5), (4, 6, 0)]) == 2
        found = tx.execute(sa.select(TABLE)).all()
    assert found == [(0, 0), (1, 7), (2, 8), (3, 5), (4, 6)]


class FailingOnce:
    """A driver that says once, after it has written, that it failed."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver
        self.in_transaction = True

    def execute(self, text: str, values: Sequence[object]) -> None:
        self._driver.execute(text, values)
        raise sqlite3.OperationalError("disturbed")

    def executemany(self, text: str, rows: Sequence[Sequence[object]]) -> None:
        self._driver.executemany(text, rows)
        raise sqlite3.OperationalError("disturbed")


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("end", ["VALUES (?, 1)", "VALUES (?, ?)"])
def test_rows_that_a_second_try_would_write_twice_are_refused(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, n: int, end: str
) -> None:
    add = f"INSERT INTO thing (id, n) {end} ON CONFLICT (id) DO UPDATE SET n = thing.n + 1"
    rows = [(i, 1)[: end.count("?")] for i in range(n)]

    def write() -> None:
        with begin_write(engine) as tx:
            driver = tx.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            with monkeypatch.context() as patch:
                entry = type(tx.connection)
                patch.setattr(entry, "driver_connection", FailingOnce(driver))
                execute_rows(tx, add, rows)

    with pytest.raises(StoreUnavailable, match="disturbed"):
        write()
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(TABLE)).all() == []


def write_twice(engine: sa.Engine, n: int) -> None:
    with begin_write(engine) as tx:
        execute_rows(tx, INSERT, [*((n, n) for n in range(n)), (0, 3)])


@pytest.mark.parametrize("n", [1, 2, 16])
def test_of_rows_that_fail_in_the_middle_none_stays(engine: sa.Engine, n: int) -> None:
    with pytest.raises(IntegrityError, match="UNIQUE"):
        write_twice(engine, n)
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(TABLE)).scalar_one() == 0


@pytest.mark.parametrize("n", [1, 2, 7])
def test_after_a_full_disk_nothing_of_a_transaction_is_kept_and_nothing_goes_on(
    engine: sa.Engine, n: int
) -> None:
    raw = engine.raw_connection()
    ((pages,),) = raw.cursor().execute("PRAGMA page_count")
    raw.cursor().execute(f"PRAGMA max_page_count = {pages + 20}")
    raw.close()
    blob = b"x" * 1_000

    def fill() -> None:
        with begin_write(engine) as tx:
            for start in range(0, 210, n):
                execute_rows(tx, INSERT, [(start + i, blob) for i in range(n)])

    with pytest.raises(StoreUnavailable, match="disk is full"):
        fill()
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(TABLE)).scalar_one() == 0


def test_a_prepared_change_after_a_full_disk_keeps_nothing(engine: sa.Engine) -> None:
    raw = engine.raw_connection()
    ((pages,),) = raw.cursor().execute("PRAGMA page_count")
    raw.cursor().execute(f"PRAGMA max_page_count = {pages + 20}")
    raw.close()
    change = PreparedChange.insert(TABLE, "id", "n")

    def fill() -> None:
        with begin_write(engine) as tx:
            for number in range(200):
                change.execute(tx, number, b"x" * 1_000)

    with pytest.raises(StoreUnavailable, match="disk is full"):
        fill()
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(TABLE)).scalar_one() == 0
