"""Rows written by the driver itself: what fails is told in words, and nothing of it stays."""

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


@pytest.mark.parametrize("n", [1, 3])
def test_the_rows_are_there_and_counted(engine: sa.Engine, n: int) -> None:
    with begin_write(engine) as tx:
        assert execute_rows(tx, INSERT, [(i, 10 * i) for i in range(n)]) == n
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(TABLE)).all() == [(i, 10 * i) for i in range(n)]


def write_twice(engine: sa.Engine) -> None:
    with begin_write(engine) as tx:
        execute_rows(tx, INSERT, [(1, 1), (2, 2), (1, 3)])


def test_of_rows_that_fail_in_the_middle_none_stays(engine: sa.Engine) -> None:
    with pytest.raises(IntegrityError):
        write_twice(engine)
    with begin_read(engine) as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(TABLE)).scalar_one() == 0


@pytest.mark.parametrize("n", [1, 2])
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
            for start in range(0, 200, n):
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
