"""Fixed windows count exactly, begin anew, and shed what is over."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from lingxi.access.limits import add_to_window, clear_window, read_window, window_start
from lingxi.access.tables import window_table
from lingxi.clock import FixedClock
from lingxi.store import Store

MINUTE = timedelta(minutes=1)


@given(
    st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.timedeltas(timedelta(seconds=1), timedelta(days=1)),
)
def test_a_moment_lies_in_its_window(now: datetime, length: timedelta) -> None:
    start = window_start(now, length)
    assert start <= now < start + length


def test_a_window_counts_and_begins_anew(store: Store, clock: FixedClock) -> None:
    with store.write() as tx:
        counts = [add_to_window(tx, "key:a", clock.now(), MINUTE).count for _ in range(3)]
        add_to_window(tx, "key:b", clock.now(), MINUTE, by=7)
        assert counts == [1, 2, 3]
        assert read_window(tx, "key:b", clock.now(), MINUTE).count == 7
        clear_window(tx, "key:b")
        assert read_window(tx, "key:b", clock.now(), MINUTE).count == 0
        clock.advance(timedelta(seconds=59))
        last = read_window(tx, "key:a", clock.now(), MINUTE)
        assert (last.count, last.retry_after_seconds(clock.now())) == (3, 1)
        clock.advance(timedelta(seconds=1))
        assert read_window(tx, "key:a", clock.now(), MINUTE).count == 0
        assert add_to_window(tx, "key:a", clock.now(), MINUTE).count == 1


def test_windows_that_are_over_are_removed(store: Store, clock: FixedClock) -> None:
    with store.write() as tx:
        for i in range(50):
            add_to_window(tx, f"key:{i}", clock.now(), MINUTE)
        clock.advance(MINUTE)
        add_to_window(tx, "key:new", clock.now(), MINUTE)
        assert tx.execute(select(func.count()).select_from(window_table)).scalar_one() == 1


def test_a_late_count_of_a_window_that_is_over_does_not_open_it_again(
    store: Store, clock: FixedClock
) -> None:
    before = clock.now()
    with store.write() as tx:
        clock.advance(MINUTE)
        add_to_window(tx, "key:a", clock.now(), MINUTE, by=5)
        add_to_window(tx, "key:a", before, MINUTE, by=9)
        assert read_window(tx, "key:a", clock.now(), MINUTE).count == 5
