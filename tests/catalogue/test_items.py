"""The catalogue: a feed goes before what order lines teach; every change of price is an event."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.catalogue import (
    ItemChange,
    apply_change,
    get_items,
    item_as_of,
    merge_items,
    metadata,
    price_history,
    put_items,
    read_items,
    remove_items,
    stock_history,
)
from lingxi.catalogue.events import prefix_of, read_item_id
from lingxi.catalogue.items import count_items
from lingxi.catalogue.write import learn_items
from lingxi.clock import FixedClock
from lingxi.config import Settings, ShopSettings
from lingxi.errors import InvalidInput
from lingxi.ingest.learnt import LearntItem
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.schema import Item
from lingxi.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    settings = Settings(folder=tmp_path, shop=ShopSettings(currency="GBP"))
    opened = Store.open(settings, FixedClock(NOW), tables=[metadata, ingest_metadata])
    yield opened
    opened.close()


def learnt(item_id: str, name: str, cents: int | None = None) -> LearntItem:
    return LearntItem(item_id, name, cents, NOW - 3 * DAY, NOW - DAY)


def test_item_comes_back_as_it_was_put(store: Store) -> None:
    lamp = Item(
        item_id="L",
        name="Lamp",
        category="Desk lamps",
        category_path=("Home", "Desk lamps"),
        price_cents=1200,
        stock=0,
        attributes={"colour": "blue", "watts": 9},
        available_from=NOW,
    )
    with store.write() as tx:
        assert put_items(store, tx, [lamp], NOW).added == 1
        assert put_items(store, tx, [lamp], NOW).unchanged == 1
        assert get_items(tx, ["L", "unknown"]) == {"L": lamp}
    assert len(store.log.read()) == 1


def test_learned_item_is_refreshed_but_never_replaces_a_listed_one(store: Store) -> None:
    with store.write() as tx:
        put_items(store, tx, [Item(item_id="A", name="From the feed", price_cents=100)], NOW)
        assert learn_items(store, tx, [learnt("A", "a line"), learnt("B", "old")], NOW).added == 1
        assert learn_items(store, tx, [learnt("B", "new")], NOW).changed == 1
        items = read_items(tx)
    assert items["A"].name == "From the feed"
    assert items["B"].name == "new"
    assert items["B"].stock is None


def test_thousands_of_ids_are_found_at_once(store: Store) -> None:
    with store.write() as tx:
        put_items(store, tx, (Item(item_id=f"I{i}") for i in range(3000)), NOW)
        assert len(get_items(tx, [f"I{i}" for i in range(5000)])) == 3000
        assert count_items(tx) == 3000


def test_prices_and_stocks_are_kept_as_events_and_known_as_of_any_moment(store: Store) -> None:
    for day, (price, stock) in enumerate([(1000, 5), (800, 5), (800, 0), (900, 3)]):
        with store.write() as tx:
            item = Item(item_id="A", name="Mug", price_cents=price, stock=stock)
            put_items(store, tx, [item], NOW + day * DAY)
    with store.read() as tx:
        prices = [(m.at, m.value) for m in price_history(tx, "A")]
        assert prices == [(NOW, 1000), (NOW + DAY, 800), (NOW + 3 * DAY, 900)]
        assert [m.value for m in stock_history(tx, "A")] == [5, 0, 3]
        then = item_as_of(tx, "A", NOW + 2 * DAY + DAY / 2)
        assert then is not None
        assert (then.price_cents, then.stock) == (800, 0)
        assert item_as_of(tx, "A", NOW - DAY) is None
    names = [e.name for e in store.log.read()]
    assert names == [
        "Item Added",
        "Item Price Changed",
        "Item Stock Changed",
        "Item Price Changed",
        "Item Stock Changed",
    ]


def test_a_change_sets_what_it_names_and_leaves_the_rest(store: Store) -> None:
    change = ItemChange(price_cents=500, cost_cents=300, category="Home > Lamps")
    with store.write() as tx:
        put_items(store, tx, [Item(item_id="A", name="Mug", price_cents=1000)], NOW)
        merge_items(
            store, tx, {"A": lambda old: apply_change(old or Item(item_id="A"), change, "GBP")}, NOW
        )
        item = get_items(tx, ["A"])["A"]
    assert (item.name, item.price_cents, item.margin_cents) == ("Mug", 500, 200)
    assert item.path == ("Home", "Lamps")


def test_a_removed_item_is_off_sale_and_still_has_its_name(store: Store) -> None:
    with store.write() as tx:
        put_items(store, tx, [Item(item_id="A", name="Mug", price_cents=1000)], NOW)
        remove_items(store, tx, ["A", "unknown"], NOW)
        gone = get_items(tx, ["A"])["A"]
    assert (gone.name, gone.active, gone.removed) == ("Mug", False, True)
    assert store.log.read()[-1].name == "Item Removed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (ItemChange(currency="EUR", price_cents=1), "this shop keeps amounts in GBP"),
        (ItemChange(url="javascript:alert(1)"), "url: must be an address"),
        (
            ItemChange(available_from=NOW, available_until=NOW - DAY),
            "available_until: must be later",
        ),
        (ItemChange(attributes={"a" * 200: 1}), "attributes: a name is"),
    ],
)
def test_what_an_item_cannot_be_is_said_with_the_field(change: ItemChange, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        apply_change(Item(item_id="A"), change, "GBP")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_id_is_read_back_from_its_events(item_id: str) -> None:
    assert read_item_id(f"{prefix_of(item_id)}000000000001:added") == item_id
