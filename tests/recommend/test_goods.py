"""The catalogue in memory is what the transaction that asks sees, and nothing it takes back."""

from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest

from lingxi import catalogue, profiles
from lingxi.catalogue import put_items, read_changes, read_revision, remove_items
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.recommend.goods import Goods
from lingxi.schema import Item
from lingxi.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class _Undo(Exception):
    pass


@pytest.fixture
def store(tmp_path):
    store = Store.open(
        Settings(folder=tmp_path),
        FixedClock(NOW),
        projections=profiles.PROJECTIONS,
        tables=[profiles.metadata, catalogue.metadata, ingest_metadata],
    )
    with store.write() as tx:
        put_items(store, tx, [Item(item_id=i, price_cents=100) for i in "abc"], NOW)
    yield store
    store.close()


def _goods() -> Goods:
    return Goods(["a", "b", "z"], np.array([1.0, 0.5, 0.25]))


def _change(store, *items):
    with store.write() as tx:
        put_items(store, tx, items, NOW)


def test_revisions_say_what_changed_and_nothing_else(store):
    with store.read() as tx:
        before = read_revision(tx)
    _change(store, Item(item_id="a", price_cents=100))  # as it was
    with store.read() as tx:
        assert read_revision(tx) == before
    _change(store, Item(item_id="a", price_cents=120))
    with store.write() as tx:
        remove_items(store, tx, ["b"], NOW)
    with store.read() as tx:
        assert read_revision(tx) > before
        changed = read_changes(tx, before)
    assert sorted(changed) == ["a", "b"]
    assert changed["b"].removed


def test_a_change_closes_and_opens_places_at_once(store):
    goods = _goods()
    with store.read() as tx:
        now = goods.current(tx)
        assert now.ids == ["a", "b", "z", "c"]
        assert now.fill_order().tolist() == [0, 1, 2, 3]
    _change(store, Item(item_id="a", price_cents=100, stock=0), Item(item_id="d", price_cents=1))
    with store.read() as tx:
        now = goods.current(tx)
        assert now.fill_order().tolist() == [1, 2, 4, 3]
        assert now.gate(frozenset({"out_of_stock"})).open.all()
        assert now.arrivals.tolist() == [4, 3]
    _change(store, Item(item_id="a", price_cents=100, stock=1))
    with store.read() as tx:
        assert goods.current(tx).fill_order().tolist() == [0, 1, 2, 4, 3]


def test_what_a_transaction_takes_back_nobody_else_sees(store):
    goods = _goods()
    with store.read() as tx:
        goods.current(tx).gate()
    with suppress(_Undo), store.write() as tx:
        put_items(store, tx, [Item(item_id="b", price_cents=0), Item(item_id="e")], NOW)
        own = goods.current(tx)
        assert own.fill_order().tolist() == [0, 2, 4, 3]
        raise _Undo
    _change(store, Item(item_id="a", active=False))  # the same revision, given out again
    with store.read() as tx:
        now = goods.current(tx)
        assert now.fill_order().tolist() == [1, 2, 3]
        assert "e" not in now.index
