"""A catalogue file becomes items; what order lines teach gives way to it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lingxi.catalogue import get_items, import_items, learn_from_orders, list_items, metadata
from lingxi.clock import FixedClock
from lingxi.config import Settings
from lingxi.errors import UnknownColumn
from lingxi.ingest import ImportOptions, import_orders
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.schema import Item
from lingxi.store import Store

CLOCK = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
FEED = "item_id,name,category,brand,price,margin,stock\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(Settings(folder=tmp_path), CLOCK, tables=[metadata, ingest_metadata])
    yield store
    store.close()


def write(store: Store, text: str) -> Path:
    path = store.folder / "file.csv"
    path.write_text(text)
    return path


def test_feed_is_read_and_adds_up(store: Store) -> None:
    path = write(
        store,
        FEED + "A,Lamp,Light,Acme,12.50,4.20,7\nB,Bulb,Light,,3,,\n,Nameless,,,1,1,1\n"
        "C,Bad,,,cheap,,\nD,Minus,,,-1,,\nA,Lamp two,Light,Acme,13,4.20,0\n",
    )
    report = import_items(store, store.settings, CLOCK, path)
    assert (report.lines_in, report.lines_kept, report.lines_set_aside) == (6, 2, 4)
    with store.read() as tx:
        assert get_items(tx, ["A", "B"]) == {
            "A": Item(
                item_id="A", name="Lamp two", category="Light", brand="Acme",
                price_cents=1300, margin_cents=420, stock=0,
            ),
            "B": Item(item_id="B", name="Bulb", category="Light", price_cents=300),
        }  # fmt: skip
        assert [i.item_id for i in list_items(tx, search="LAMP")] == ["A"]
        assert [i.item_id for i in list_items(tx, category="Light", after="A")] == ["B"]


def test_items_of_order_lines_give_way_to_the_feed(store: Store) -> None:
    import_items(store, store.settings, CLOCK, write(store, FEED + "A,Lamp,,,12,,3\n"))
    head = "order,sku,name,qty,price,date,customer\n"
    path = write(store, head + "1,A,lamp?,1,9,2025-01-01,c\n2,B,Bulb,1,3,2025-01-01,c\n")
    import_orders(store, store.settings, CLOCK, path, ImportOptions())
    with store.write() as tx:
        assert learn_from_orders(store, tx, CLOCK.now()).added == 1
        assert learn_from_orders(store, tx, CLOCK.now()).unchanged == 2
        items = get_items(tx, ["A", "B"])
    assert items["A"].name == "Lamp"
    assert items["B"] == Item(item_id="B", name="Bulb", price_cents=300)


def test_feed_without_codes_is_refused(store: Store) -> None:
    with pytest.raises(UnknownColumn, match="--map item=COLUMN"):
        import_items(store, store.settings, CLOCK, write(store, "foo,price\n1,2\n"))


def test_an_export_of_shopify_is_read_as_it_is(store: Store) -> None:
    """Its variants after the first say nothing of the product but its handle."""
    path = write(
        store,
        "Handle,Title,Vendor,Type,Published,Variant SKU,Variant Inventory Qty,Variant Price,"
        "Image Src,Cost per item\n"
        "tee,Tee,Acme,Shirts,true,TEE-S,5,19.99,https://cdn.example/1.jpg,8.00\n"
        "tee,,,,,TEE-M,0,21.99,,8.00\n"
        "tee,,,,,,,,https://cdn.example/2.jpg,\n",
    )
    report = import_items(store, store.settings, CLOCK, path)
    assert (report.lines_kept, report.lines_set_aside) == (2, 1)
    with store.read() as tx:
        second = get_items(tx, ["TEE-M"])["TEE-M"]
    assert (second.name, second.brand, second.category) == ("Tee", "Acme", "Shirts")
    assert (second.price_cents, second.stock, second.group_id) == (2199, 0, "tee")
    assert (second.active, second.image) == (True, "https://cdn.example/1.jpg")


WOO = (
    'ID,Type,SKU,"GTIN, UPC, EAN, or ISBN",Name,Published,"Is featured?","Short description",'
    '"Date sale price starts","Date sale price ends","In stock?",Stock,"Backorders allowed?",'
    '"Sale price","Regular price",Categories,Tags,Images,Parent\n'
)


def test_an_export_of_woocommerce_is_read_as_it_is(store: Store) -> None:
    """SKU and ID could both be the item, and the type of product was its category."""
    path = write(
        store,
        WOO + "93,simple,,4006381333931,Mug,1,0,Blue,,,1,7,0,8.00,9.50,"
        '"Home > Cups, Gifts",,"https://cdn.example/1.jpg, https://cdn.example/2.jpg",\n'
        + "94,variable,TEE,,Tee,1,0,,,,1,,0,,,Clothes,,https://cdn.example/3.jpg,\n"
        "95,variation,TEE-S,,Tee - S,1,0,,2020-01-01,2020-01-02,0,5,0,3.00,20,,,,TEE\n"
        "96,variation,TEE-M,,Tee - M,-1,0,,,,backorder,0,1,,18,,,,id:94\n",
    )
    report = import_items(store, store.settings, CLOCK, path)
    assert (report.lines_kept, report.lines_set_aside) == (4, 0)
    with store.read() as tx:
        items = get_items(tx, ["93", "TEE", "TEE-S", "TEE-M"])
    mug = items["93"]
    assert (mug.name, mug.category, mug.price_cents, mug.stock) == ("Mug", "Cups", 800, 7)
    assert (mug.image, mug.group_id) == ("https://cdn.example/1.jpg", "93")
    assert mug.attributes == {"gtin": "4006381333931", "regular_price_cents": 950}
    tees = [(i.price_cents, i.stock, i.active, i.group_id) for i in list(items.values())[1:]]
    assert sorted(tees, key=str) == [
        (1800, None, False, "94"),
        (1800, None, True, "94"),
        (2000, 0, True, "94"),
    ]


def test_german_columns_of_a_catalogue(store: Store) -> None:
    path = write(store, "Artikelnr;Bezeichnung;Preis;Bestand;Kategorie\nA;Brot;3,50;2;Essen\n")
    import_items(store, store.settings, CLOCK, path)
    with store.read() as tx:
        item = get_items(tx, ["A"])["A"]
    assert (item.name, item.price_cents, item.stock, item.category) == ("Brot", 350, 2, "Essen")
