"""Whatever the order of appends, rolls and merges, the analytics tell the same."""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.tables import identity

STEPS = st.lists(
    st.one_of(
        st.just("roll"),
        st.lists(st.integers(0, 40), max_size=12),  # a batch, with repeats of what was there
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_any_interleaving_gives_the_same_analytics(
    events: Callable[..., Event], steps: list[str | list[int]]
) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        mixed, plain = (open_at(Path(folder)) for folder in (one, other))
        for step in steps:
            if isinstance(step, str):
                mixed.lake.roll()
            else:
                mixed.log.append([events(n, subject=n % 3 or None) for n in step])
        seen: dict[int, None] = {}
        for step in steps:
            if not isinstance(step, str):
                seen |= dict.fromkeys(step)
        plain.log.append([events(n, subject=n % 3 or None) for n in seen])
        assert rows(mixed) == rows(plain)
        mixed.close()
        plain.close()


def open_at(folder: Path) -> Store:
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    store = Store.open(Settings(folder=folder), clock)
    store.create_tables()
    with store.write() as tx:
        tx.execute(insert(identity), [{"subject": 2, "customer": 1, "known": True}])
    return store


def rows(store: Store) -> list[dict[str, object]]:
    with store.analytics() as analytics:
        table = analytics.to_arrow(analytics.events.order_by(["position", "line"]))
    return table.to_pylist()
