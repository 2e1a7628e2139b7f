"""Counters as the collector's transactions see them: read once, and always what is there."""

from pathlib import Path

import pytest
from sqlalchemy import select

from lingxi.store import counters
from lingxi.store.engine import begin_read, begin_write, open_engine
from lingxi.store.tables import counter, metadata


@pytest.mark.parametrize("eager", [True, False])
def test_a_transaction_sees_its_own_numbers_and_those_of_others_before_it(
    tmp_path: Path, *, eager: bool
) -> None:
    url = f"sqlite:///{tmp_path}/s.sqlite"
    engine, other = (open_engine(url, lock_timeout_seconds=1) for _ in range(2))
    metadata.create_all(engine)
    with begin_write(engine, eager=eager) as tx:
        assert counters.peek(tx, "one") == 0
        assert counters.allocate(tx, "one", 3) == range(1, 4)
        assert counters.allocate(tx, "one", 1) == range(4, 5)
        counters.put(tx, "two", 7)
        assert (counters.peek(tx, "one"), counters.peek(tx, "two")) == (4, 7)
    with begin_write(other, eager=eager) as tx:
        assert counters.allocate(tx, "one", 2) == range(5, 7)

    def fail() -> None:
        with begin_write(engine, eager=eager) as tx:
            assert counters.allocate(tx, "one", 1) == range(7, 8)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with begin_write(engine, eager=eager) as tx:
        assert counters.allocate(tx, "one", 1) == range(7, 8)
    with begin_read(other) as tx:
        found = tx.execute(select(counter.c.name, counter.c.value).order_by(counter.c.name))
        assert [tuple(row) for row in found] == [("one", 7), ("two", 7)]
    engine.dispose()
    other.dispose()
