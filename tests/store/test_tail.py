"""The log's end, remembered: the same rows as converting it anew, whatever was taken back."""

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from lingxi.schema import Event
from lingxi.store import Store, lake, tail
from lingxi.store.codec import to_arrow
from lingxi.store.lake import lake_position
from lingxi.store.log import read_events
from lingxi.store.tail import Tail

Make = Callable[..., Event]


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events were converted each time that any were."""
    sizes: list[int] = []

    def convert(events: Sequence[Event]) -> pa.Table:
        sizes.append(len(events))
        return to_arrow(events)

    monkeypatch.setattr(tail, "to_arrow", convert)
    return sizes


def check(store: Store, end: Tail) -> None:
    with store.read() as tx:
        after = lake_position(tx)
        anew = to_arrow(read_events(tx, after=after, limit=10_000))
        assert end.read(tx, after).equals(anew)


def test_only_what_is_new_is_converted(
    sqlite_store: Store, events: Make, converted: list[int]
) -> None:
    end = Tail()
    check(sqlite_store, end)
    sqlite_store.log.append([events(n) for n in range(20)])
    check(sqlite_store, end)
    check(sqlite_store, end)
    sqlite_store.log.append([events(n) for n in range(20, 25)])
    check(sqlite_store, end)
    assert converted == [20, 5]
    sqlite_store.lake.roll()
    check(sqlite_store, end)
    sqlite_store.log.append([events(n) for n in range(25, 28)])
    check(sqlite_store, end)
    assert converted == [20, 5, 3]


def test_what_was_taken_back_or_erased_is_gone(
    sqlite_store: Store, events: Make, converted: list[int]
) -> None:
    end = Tail()
    sqlite_store.log.append([events(n, subject=n % 5 + 1) for n in range(20)])
    check(sqlite_store, end)
    for last in (False, True):  # one in the middle, then the last one of all
        told = sqlite_store.log.read()[-1 if last else 7]
        with sqlite_store.write() as tx:
            assert sqlite_store.withdraw([told], tx) == 1
        check(sqlite_store, end)
        sqlite_store.log.append([events(100 + last, subject=1)])  # as many as there were
        check(sqlite_store, end)
    sqlite_store.forget(frozenset({3}))
    check(sqlite_store, end)
    assert len(converted) >= 4


def test_a_lake_that_reaches_further_leaves_the_rest(
    sqlite_store: Store, events: Make, converted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Tail()
    sqlite_store.log.append([events(n) for n in range(25)])
    check(sqlite_store, end)
    monkeypatch.setattr(lake, "CHUNK", 10)
    assert sqlite_store.lake.roll_chunks().events == 20
    check(sqlite_store, end)
    assert converted == [25]
    assert sqlite_store.lake.roll_chunks().events == 0
    with sqlite_store.analytics() as analytics:
        rows = analytics.to_arrow(analytics.rows.order_by(["position", "line"]))
    assert rows.to_pylist() == to_arrow(sqlite_store.log.read()).to_pylist()


def test_an_earlier_transaction_sees_its_own_end(
    sqlite_store: Store, events: Make, converted: list[int]
) -> None:
    end = Tail()
    sqlite_store.log.append([events(n) for n in range(5)])
    with sqlite_store.read() as earlier:
        before = read_events(earlier, after=0, limit=100)
        sqlite_store.log.append([events(n) for n in range(5, 9)])
        check(sqlite_store, end)
        assert end.read(earlier, 0).equals(to_arrow(before))
    check(sqlite_store, end)
    assert converted == [9, 5]


def test_what_is_taken_back_while_a_file_is_written_is_not_in_it(
    sqlite_store: Store, events: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_store.log.append([events(n) for n in range(20)])
    told = sqlite_store.log.read()
    gone = [told[3], told[-1]]
    write = sqlite_store.lake._write_chunk

    def write_and_withdraw(chunk: Sequence[Event], first: int, last: int) -> object:
        written = write(chunk, first, last)
        if gone:
            with sqlite_store.write() as tx:
                sqlite_store.withdraw([gone.pop()], tx)
        return written

    monkeypatch.setattr(sqlite_store.lake, "_write_chunk", write_and_withdraw)
    assert sqlite_store.lake.roll().events == 18
    with sqlite_store.analytics() as analytics:
        rows = analytics.to_arrow(analytics.rows)
    assert set(rows["event_id"].to_pylist()) == {e.event_id for e in told} - {
        told[3].event_id,
        told[-1].event_id,
    }
