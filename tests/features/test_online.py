"""The online value equals the as-of value, from a real store, whatever the order of arrival."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from feature_histories import AS_OF, EVENTS, IDENTITY, MOMENTS, START
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import delete, insert

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import InvalidInput
from lingxi.features import compute_features, online_features
from lingxi.features.online import OnlineFeatures
from lingxi.schema import Event, Line, Name
from lingxi.store import Store
from lingxi.store.tables import counter, event, identity

_IDS = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    settings = Settings(tmp_path_factory.mktemp("shop"))
    made = Store.open(settings, FixedClock(AS_OF), tables=[identity.metadata])
    rows = [{"subject": s, "customer": c, "known": k} for s, (c, k) in IDENTITY.items()]
    with made.write() as tx:
        tx.execute(insert(identity), rows)
    yield made
    made.close()


def near(row: dict[str, object]) -> dict[str, object]:
    """The row, its numbers compared to twelve digits."""
    return {
        k: pytest.approx(v, rel=1e-12, abs=1e-12) if isinstance(v, float) else v
        for k, v in row.items()
    }


@settings(max_examples=15, deadline=None)
@given(
    parts=st.lists(st.lists(EVENTS, max_size=12), min_size=1, max_size=3),
    moments=st.lists(MOMENTS, min_size=1, max_size=2, unique=True),
)
def test_online_equals_as_of_for_random_histories(
    store: Store, parts: list[list[Event]], moments: list[datetime]
):
    """Parts arrive one after the other, in any order of time, and are seen at once."""
    with store.write() as tx:
        tx.execute(delete(event))
        tx.execute(delete(counter))
    online = OnlineFeatures(store)
    for part in parts:
        # an id is never given twice: by it the store tells whether what it has read is still there
        store.log.append([structs.replace(e, event_id=f"{next(_IDS)}") for e in part])
        for moment in moments:
            with store.analytics() as analytics:
                rows = compute_features(analytics, moment).to_pylist()
            expected = {row.pop("customer"): row for row in rows}
            for customer in (1, 2, 3):
                found = online.compute(customer, moment)
                assert found == near(expected.get(customer, {}))


def order(number: int, at: datetime) -> Event:
    return Event(
        event_id=f"order-{number}",
        name=Name.ORDER_COMPLETED,
        occurred_at=at,
        received_at=at,
        subject=2,
        amount_cents=500,
        lines=(Line("cup", 1, 500, 500),),
    )


def test_an_order_counts_in_the_very_next_value(store: Store):
    before = online_features(store, 2, AS_OF).get("frequency") or 0
    store.log.append([order(int(before), AS_OF - timedelta(days=1))])
    assert online_features(store, 2, AS_OF)["frequency"] == before + 1


def test_events_in_the_lake_and_in_the_tail_are_one_history(store: Store):
    store.log.append([order(1000, START)])
    store.lake.roll()
    store.log.append([order(1001, START + timedelta(days=1))])
    with store.analytics() as analytics:
        expected = compute_features(analytics, AS_OF, customers=[2]).to_pylist()[0]
    assert {"customer": 2, **online_features(store, 2, AS_OF)} == near(expected)


def test_a_customer_nobody_knows_has_no_features(store: Store):
    assert online_features(store, 99, AS_OF) == {}
    assert online_features(store, 3, AS_OF) == {}


def test_a_naive_moment_is_refused(store: Store):
    with pytest.raises(InvalidInput, match="no time zone"):
        online_features(store, 2, AS_OF.replace(tzinfo=None))


def test_only_the_names_asked_for_come(store: Store, tmp_path: Path):
    assert tmp_path.exists()
    store.log.append([order(2000, START)])
    assert list(online_features(store, 2, AS_OF, names=("frequency",))) == ["frequency"]
