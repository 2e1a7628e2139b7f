"""The catalogue: a feed goes before what order lines teach."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from lingxi.catalogue import count_items, get_items, learn_items, metadata, put_items, read_items
from lingxi.schema import Item

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def tx() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        yield connection
    engine.dispose()


def test_item_comes_back_as_it_was_put(tx: sa.Connection) -> None:
    lamp = Item(item_id="L", name="Lamp", category="Light", price_cents=1200, stock=0)
    assert put_items(tx, [lamp], NOW) == 1
    assert get_items(tx, ["L", "unknown"]) == {"L": lamp}


def test_learned_item_is_refreshed_but_never_replaces_a_listed_one(tx: sa.Connection) -> None:
    put_items(tx, [Item(item_id="A", name="From the feed", price_cents=100)], NOW)
    learned = [Item(item_id="A", name="from a line"), Item(item_id="B", name="old")]
    assert learn_items(tx, learned, NOW) == 1
    assert learn_items(tx, [Item(item_id="B", name="new")], NOW) == 1
    items = read_items(tx)
    assert items["A"].name == "From the feed"
    assert items["B"].name == "new"
    assert items["B"].stock is None


def test_thousands_of_ids_are_found_at_once(tx: sa.Connection) -> None:
    put_items(tx, (Item(item_id=f"I{i}") for i in range(3000)), NOW)
    assert len(get_items(tx, [f"I{i}" for i in range(5000)])) == 3000
    assert count_items(tx) == 3000
