"""Rows written by the driver itself: what fails is told in words, and nothing of it stays."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lingxi.store.engine import begin_read, begin_write, open_engine
from lingxi.store.keyed import execute_rows

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
