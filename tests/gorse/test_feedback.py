"""Feedback told, told again and taken back, beside a dictionary that does the same."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.gorse.feedback import find_keys, put_feedback, read_body, take_back
from lingxi.gorse.history import list_feedback, read_seen
from lingxi.gorse.kinds import Kinds
from lingxi.gorse.nouns import FeedbackBody
from lingxi.gorse.users import require_user
from lingxi.profiles.tables import customer_profile, item_history
from lingxi.recommend.interactions import read_interactions

NOW = datetime(2026, 6, 30, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = init_shop(
        tmp_path / "shop",
        name="Library",
        currency="EUR",
        timezone="UTC",
        language="en",
        clock=FixedClock(NOW),
    )
    yield made
    made.close()


def tell(shop: Shop, user: str, kind: str, item: str, **more: object) -> None:
    put(shop, [FeedbackBody(kind, user, item, **more)], overwrite=False)  # type: ignore[arg-type]


def put(shop: Shop, bodies: list[FeedbackBody], *, overwrite: bool) -> None:
    kinds = Kinds.of(shop.settings.gorse)
    told = [read_body(body, kinds, NOW) for body in bodies]
    with shop.store.write() as tx:
        put_feedback(shop.store, tx, told, NOW, overwrite=overwrite)


def take(shop: Shop, user: str, item: str, kind: str | None = None) -> int:
    with shop.store.write() as tx:
        return take_back(shop.store, tx, find_keys(tx, require_user(tx, user), item, kind))


def rows(shop: Shop) -> dict[tuple[str, str, str], float]:
    with shop.store.read() as tx:
        found, _ = list_feedback(shop.store, tx, NOW)
    return {(f.user_id, f.feedback_type, f.item_id): f.value for f in found}


USERS, KINDS, ITEMS = ("a", "b"), ("read", "like", "buy"), ("x", "y")
KEYS = st.tuples(st.sampled_from(USERS), st.sampled_from(KINDS), st.sampled_from(ITEMS))
STEPS = st.lists(
    st.tuples(st.sampled_from(["post", "put", "delete"]), KEYS, st.integers(-3, 3)), max_size=12
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_whatever_is_told_and_taken_back_the_table_is_what_a_dictionary_would_be(
    shop: Shop, steps: list[tuple[str, tuple[str, str, str], int]]
) -> None:
    for user in USERS:  # a clean slate, and users that exist
        tell(shop, user, "read", "x")
        for item in ITEMS:
            take(shop, user, item)
    oracle: dict[tuple[str, str, str], float] = {}
    times: dict[tuple[str, str, str], int] = {}
    for what, key, value in steps:
        user, kind, item = key
        if what == "delete":
            assert take(shop, user, item, kind) == (key in oracle)
            oracle.pop(key, None)
            times.pop(key, None)
            continue
        added = oracle.get(key, 0.0) if what == "post" else 0.0
        put(shop, [FeedbackBody(kind, user, item, float(value))], overwrite=what == "put")
        oracle[key] = added + value
        times[key] = times.get(key, 0) + 1 if what == "post" else 1
    assert rows(shop) == oracle
    with shop.store.read() as tx:
        told = {
            (row.item_id, row.views, row.carts, row.orders)
            for row in tx.execute(
                sa.select(item_history).where(item_history.c.customer == require_user(tx, "a"))
            )
        }
    expected = {item: tuple(times.get(("a", kind, item), 0) for kind in KINDS) for item in ITEMS}
    assert told == {(item, *counts) for item, counts in expected.items() if any(counts)}


def test_what_was_taken_back_teaches_nothing_before_and_after_the_lake_is_rolled(
    shop: Shop,
) -> None:
    for user in ("a", "b"):
        for item in ("x", "y"):
            tell(shop, user, "like", item)
    shop.store.lake.roll()
    take(shop, "a", "x")
    for rolled in (False, True):
        if rolled:
            shop.store.lake.roll()
        with shop.store.analytics() as analytics:
            taught = read_interactions(analytics)
        cells = sorted(zip(taught.rows.tolist(), taught.items.tolist(), strict=True))
        assert cells == [(0, 1), (1, 0), (1, 1)]
    files = list(shop.store.lake.folder.glob("day=*/*.parquet"))
    with shop.store.analytics() as analytics:
        assert analytics.to_arrow(analytics.events).num_rows == 3
    assert len(files) >= 1
    assert shop.store.log.count() == 3


def test_where_nothing_is_sold_what_is_liked_is_taught_as_if_ordered(shop: Shop) -> None:
    tell(shop, "a", "like", "x")
    tell(shop, "a", "read", "y")
    with shop.store.analytics() as analytics:
        taught = read_interactions(analytics)
    assert taught.bought().toarray().tolist() == [[1.0, 0.0]]
    tell(shop, "a", "buy", "y")
    with shop.store.analytics() as analytics:
        taught = read_interactions(analytics)
    assert taught.bought().toarray().tolist() == [[0.0, 1.0]]


def test_what_is_dated_ahead_is_not_seen_yet(shop: Shop) -> None:
    ahead = (NOW + timedelta(minutes=5)).isoformat()
    tell(shop, "a", "read", "x", timestamp=ahead)
    with shop.store.read() as tx:
        customer = require_user(tx, "a")
        assert read_seen(tx, customer, NOW) == set()
        assert read_seen(tx, customer, NOW + timedelta(minutes=5)) == {"x"}
        assert list_feedback(shop.store, tx, NOW) == ([], None)


def test_a_comment_is_kept_under_the_users_key_and_goes_with_it(shop: Shop) -> None:
    tell(shop, "a", "like", "x", comment="for my mother")
    with shop.store.read() as tx:
        (found,), _ = list_feedback(shop.store, tx, NOW)
        stored = tx.exec_driver_sql("select payload from event").scalars().all()
    assert found.comment == "for my mother"
    assert not any(b"mother" in bytes(each) for each in stored)
    take(shop, "a", "x")
    with shop.store.read() as tx:
        assert tx.exec_driver_sql("select count(*) from private").scalar_one() == 0


def test_profiles_know_nothing_of_what_was_taken_back(shop: Shop) -> None:
    tell(shop, "a", "buy", "x")
    tell(shop, "a", "read", "y")
    take(shop, "a", "x")
    with shop.store.read() as tx:
        (row,) = tx.execute(sa.select(customer_profile)).all()
    assert (row.events, row.orders, row.views) == (1, 0, 1)
