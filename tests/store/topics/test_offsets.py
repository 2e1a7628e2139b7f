"""How far a topic was read: moved once, by one process."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import StoreBusy
from lingxi.store import Store
from lingxi.store.tables import metadata
from lingxi.store.topics import Moved, TopicState, find_offsets, move_offsets, read_lag

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(Settings(folder=tmp_path), FixedClock(NOW), tables=[metadata])
    yield opened
    opened.close()


def move(store: Store, *moves: Moved) -> None:
    with store.write() as tx:
        move_offsets(tx, "t", moves, NOW)


def test_offsets_are_where_they_were_moved_to(store: Store) -> None:
    move(store, Moved(0, None, 5, 3), Moved(2, None, 1))
    move(store, Moved(0, 5, 9, 1))
    with store.read() as tx:
        assert find_offsets(tx, "t") == {0: 9, 2: 1}
        assert find_offsets(tx, "other") == {}
        assert (read_lag(tx, "t").behind, read_lag(tx, "t").moved_at) == (1, NOW)
        assert read_lag(tx, "other").moved_at is None


@pytest.mark.parametrize("before", [None, 4, 6])
def test_who_read_from_elsewhere_keeps_nothing(store: Store, before: int | None) -> None:
    move(store, Moved(0, None, 5))
    with pytest.raises(StoreBusy, match="another process"):
        move(store, Moved(1, None, 7), Moved(0, before, 9))
    with store.read() as tx:
        assert find_offsets(tx, "t") == {0: 5}


def test_what_waits_counts_from_the_first_record_that_is_left() -> None:
    state = TopicState({0: (4, 10), 1: (0, 3), 2: (0, 0)}, 3, 3)
    assert state.count_behind({}) == 9
    assert state.count_behind({0: 2, 1: 3}) == 6
    assert state.count_behind({0: 12, 1: 1}) == 2
