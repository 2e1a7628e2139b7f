"""Spark gives the same numbers as DuckDB, for every feature."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from feature_histories import AS_OF, IDENTITY, START
from sqlalchemy import insert

from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.features import FEATURES, compute_features
from lingxi.schema import Event, Line, Name
from lingxi.store import Store
from lingxi.store.tables import identity

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600), pytest.mark.xdist_group("spark")]
pytest.importorskip("pyspark", reason="needs lingxi[spark]")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store.open(
        Settings(tmp_path_factory.mktemp("shop")), FixedClock(AS_OF), tables=[identity.metadata]
    )
    rows = [{"subject": s, "customer": c, "known": k} for s, (c, k) in IDENTITY.items()]
    rows += [{"subject": s, "customer": s, "known": True} for s in range(10, 60)]
    with made.write() as tx:
        tx.execute(insert(identity), rows)
    history = make_history(random.Random(7), 1_500)
    made.log.append(history[:1_000])
    made.lake.roll()
    made.log.append(history[1_000:])
    yield made
    made.close()


def make_history(rng: random.Random, n: int) -> list[Event]:
    """Events of fifty customers and some visitors, to the microsecond, with everything in it."""
    names = [*Name, *[Name.ORDER_COMPLETED] * 8, *[Name.ORDER_REFUNDED] * 2, Name.PRODUCT_VIEWED]
    return [make_event(rng, number, rng.choice(names)) for number in range(n)]


def make_event(rng: random.Random, number: int, name: Name) -> Event:
    lines = tuple(
        Line(rng.choice("abcdefgh"), quantity, price, quantity * price)
        for quantity, price in (
            (rng.randint(1, 5), rng.choice([99, 100, 250, 999, 1250]))
            for _ in range(rng.randint(1, 4))
        )
    )
    money = name in (Name.ORDER_COMPLETED, Name.ORDER_REFUNDED)
    at = START + timedelta(microseconds=rng.randrange(60 * 86_400 * 1_000_000))
    return Event(
        event_id=f"e{number}",
        name=name,
        occurred_at=at,
        received_at=at,
        subject=rng.choice([None, 1, 2, 3, 4, *range(10, 60)]),
        session_id=rng.choice([None, f"s{number // 5}"]),
        order_id=rng.choice([None, *(f"o{i}" for i in range(40))]) if money else None,
        country=rng.choice([None, "FR", "UK", "中国"]),
        category=None if money else rng.choice([None, "home", "garden", "茶"]),
        amount_cents=sum(x.amount_cents or 0 for x in lines) if money else None,
        lines=lines,
        properties=rng.choice([{}, {"discount": 5}, {"discount": 0.0}, {"coupon": "X"}]),
    )


def test_spark_equals_duckdb_for_every_feature(store: Store):
    with store.analytics(engine="duckdb") as duckdb:
        expected = compute_features(duckdb, AS_OF)
    with store.analytics(engine="spark") as spark:
        found = compute_features(spark, AS_OF)
    assert found.column_names == expected.column_names
    assert found.num_rows == expected.num_rows == 52
    for name in expected.column_names:
        ours, theirs = expected.column(name).to_pylist(), found.column(name).to_pylist()
        if name == "customer" or FEATURES[name].dtype == "string":
            assert theirs == ours, name
        else:
            assert theirs == [
                None if x is None else pytest.approx(x, rel=1e-9, abs=1e-9) for x in ours
            ], name


def test_history_of_the_test_reaches_every_feature(store: Store):
    with store.analytics(engine="duckdb") as duckdb:
        rows = compute_features(duckdb, AS_OF)
    empty = [name for name in FEATURES if rows.column(name).null_count == rows.num_rows]
    assert empty == []
