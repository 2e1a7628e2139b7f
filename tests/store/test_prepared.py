"""Statements whose text is made once: the same rows as SQLAlchemy's, the same errors."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lingxi.clock import FixedClock
from lingxi.store import Store
from lingxi.store.prepared import Prepared, PreparedChange
from lingxi.store.tables import Moment, to_micros
from store.test_engine import open_at

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
slip = sa.Table(
    "test_slip",
    sa.MetaData(),
    sa.Column("slip", sa.Integer, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("at", Moment),
)
INSERT = PreparedChange.insert(slip, "slip", "state", "at")
MOVE = PreparedChange(
    sa.update(slip)
    .where(slip.c.slip == sa.bindparam("number"), slip.c.state == "open")
    .values(state=sa.bindparam("target")),
    "number",
    "target",
)
STATES = Prepared(sa.select(slip.c.slip, slip.c.state).order_by(slip.c.slip))


@pytest.fixture
def store(tmp_path: Path, clock: FixedClock) -> Store:
    made = open_at(tmp_path, clock)
    slip.metadata.create_all(made.engine)
    return made


def test_a_row_is_written_as_sqlalchemy_reads_it(store: Store) -> None:
    with store.write() as tx:
        assert INSERT.execute(tx, 1, "open", to_micros(AT)) == 1
        assert INSERT.execute(tx, 2, "open", None) == 1
        assert tx.execute(sa.select(slip)).all() == [(1, "open", AT), (2, "open", None)]


def test_a_change_tells_how_many_rows_it_touched_whatever_the_order_of_its_values(
    store: Store,
) -> None:
    with store.write() as tx:
        INSERT.execute(tx, 1, "open", None)
        INSERT.execute(tx, 2, "open", None)
        assert MOVE.execute(tx, 2, "shut") == 1
        assert MOVE.execute(tx, 2, "shut") == 0
        assert STATES.fetch(tx) == [(1, "open"), (2, "shut")]


def test_a_broken_constraint_stays_what_it_is_and_changes_nothing(store: Store) -> None:
    with store.write() as tx:
        INSERT.execute(tx, 1, "open", None)
        with pytest.raises(IntegrityError):
            INSERT.execute(tx, 1, "shut", None)
        assert STATES.fetch(tx) == [(1, "open")]
