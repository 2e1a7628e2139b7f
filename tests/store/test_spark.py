"""Spark gives the same rows as DuckDB, through the same face."""

import shutil
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import insert

from lingxi.errors import MissingExtra
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.tables import identity


def test_spark_without_its_package_says_what_to_install(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    monkeypatch.delitem(sys.modules, "lingxi.store.spark", raising=False)
    session = sqlite_store.analytics(engine="spark")
    with pytest.raises(MissingExtra, match=r"pip install 'lingxi\[spark\]'"):
        session.__enter__()


@pytest.mark.engine
@pytest.mark.xdist_group("spark")
def test_spark_gives_the_same_rows(sqlite_store: Store, events: Callable[..., Event]) -> None:
    pytest.importorskip("pyspark", reason="pip install 'lingxi[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    batch = [events(n, subject=(n % 4) or None) for n in range(100)]
    sqlite_store.log.append(batch[:60])
    sqlite_store.lake.roll()
    sqlite_store.log.append(batch[60:])
    with sqlite_store.write() as tx:
        tx.execute(insert(identity), [{"subject": 2, "customer": 1, "known": True}])
    found = []
    for engine in ("duckdb", "spark"):
        with sqlite_store.analytics(engine=engine) as analytics:
            rows = analytics.to_arrow(analytics.events.order_by(["position", "line"]))
            state = analytics.to_arrow(analytics.state(identity))
            days = analytics.events.group_by(day=analytics.events.occurred_at.date()).agg(
                n=analytics.events.count(), cents=analytics.events.amount_cents.sum()
            )
            found.append(
                (
                    rows.to_pylist(),
                    state.to_pylist(),
                    analytics.to_arrow(days.order_by("day")).to_pylist(),
                )
            )
    for duckdb, spark in zip(*found, strict=True):
        assert spark == duckdb
