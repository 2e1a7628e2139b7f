"""Google Merchant feeds: XML and tables alike, whole items, safe to read, history kept."""

import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from lingxi.catalogue import get_items, import_items, metadata, price_history, stock_history
from lingxi.clock import FixedClock
from lingxi.config import Settings, ShopSettings
from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.ingest import ImportOptions, ImportReport, list_quarantine
from lingxi.ingest.rates import put_quotes, quote_all
from lingxi.ingest.tables import metadata as ingest_metadata
from lingxi.schema import Item
from lingxi.store import Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMESPACE = 'xmlns:g="http://base.google.com/ns/1.0"'
ENTRY = """
<g:id>SKU-1</g:id><title>Desk lamp &amp; bulb</title>
<description><![CDATA[<b>Bright</b>]]></description>
<g:price>19.50 GBP</g:price><g:sale_price>15.00 GBP</g:sale_price>
<g:sale_price_effective_date>2026-02-24T13:00+0000/2026-03-05T15:30+0000</g:sale_price_effective_date>
<g:availability>in_stock</g:availability><g:quantity>7</g:quantity>
<g:brand>Acme</g:brand><g:google_product_category>2271</g:google_product_category>
<g:product_type>Home &gt; Lighting &gt; Lamps</g:product_type>
<g:image_link>https://shop.example/1.jpg</g:image_link>
<g:gtin>3234567890126</g:gtin><g:color>Black</g:color><g:size>M</g:size><g:material>Steel</g:material>
<g:item_group_id>LAMP</g:item_group_id><g:cost_of_goods_sold>8 GBP</g:cost_of_goods_sold>
<g:expiration_date>2026-12-31T00:00+0000</g:expiration_date>
<g:shipping><g:price>4.95 GBP</g:price><g:country>GB</g:country></g:shipping>
"""
TABLE = (
    "id\ttitle\tdescription\tprice\tsale_price\tsale_price_effective_date\tavailability\tquantity\t"
    "brand\tgoogle_product_category\tproduct_type\timage_link\tlink\tgtin\tcolor\tsize\tmaterial\t"
    "item_group_id\tcost_of_goods_sold\texpiration_date\n"
    "SKU-1\tDesk lamp & bulb\tBright\t19.50 GBP\t15.00 GBP\t"
    "2026-02-24T13:00+0000/2026-03-05T15:30+0000\tin_stock\t7\tAcme\t2271\t"
    "Home > Lighting > Lamps\thttps://shop.example/1.jpg\thttps://shop.example/1\t3234567890126\t"
    "Black\tM\tSteel\tLAMP\t8 GBP\t2026-12-31T00:00+0000\n"
)
LAMP = Item(
    item_id="SKU-1",
    name="Desk lamp & bulb",
    category="Lamps",
    category_path=("Home", "Lighting", "Lamps"),
    price_cents=1500,
    cost_cents=800,
    margin_cents=700,
    stock=7,
    brand="Acme",
    attributes={
        "color": "Black",
        "size": "M",
        "material": "Steel",
        "gtin": "3234567890126",
        "regular_price_cents": 1950,
    },
    image="https://shop.example/1.jpg",
    url="https://shop.example/1",
    available_until=datetime(2026, 12, 31, tzinfo=UTC),
    group_id="LAMP",
)


def rss(*entries: str) -> str:
    items = "".join(f"<item>{entry}</item>" for entry in entries)
    return (
        f'<?xml version="1.0"?><rss version="2.0" {NAMESPACE}><channel><title>Shop</title>'
        f"<link>https://shop.example</link>{items}</channel></rss>"
    )


def atom(*entries: str) -> str:
    items = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACE}><title>S</title>{items}</feed>'


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: FixedClock) -> Iterator[Store]:
    settings = Settings(folder=tmp_path, shop=ShopSettings(timezone="Europe/London"))
    store = Store.open(settings, clock, tables=[metadata, ingest_metadata])
    yield store
    store.close()


def bring(
    store: Store, clock: FixedClock, content: str | bytes, name: str = "feed.xml", **more: str
) -> ImportReport:
    path = store.folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    options = ImportOptions.parse(**{k: v for k, v in more.items() if k != "complete"})
    complete = "complete" in more
    return import_items(store, store.settings, clock, path, options=options, complete=complete)


def get(store: Store, *item_ids: str) -> dict[str, Item]:
    with store.read() as tx:
        return get_items(tx, item_ids)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (rss(ENTRY + "<link>https://shop.example/1</link>"), "feed.xml"),
        (
            atom(
                "<id>tag:shop.example,2026:1</id>" + ENTRY + '<link rel="self" href="https://x/"/>'
                '<link rel="alternate" href="https://shop.example/1"/>'
            ),
            "feed.xml",
        ),
        (TABLE, "feed.tsv"),
        (rss(ENTRY + "<link>https://shop.example/1</link>").encode("utf-16"), "feed.xml"),
    ],
)
def test_a_feed_of_each_form_makes_the_whole_item(
    store: Store, clock: FixedClock, content: str | bytes, name: str
) -> None:
    report = bring(store, clock, content, name)
    assert (report.lines_in, report.lines_kept, report.reasons) == (1, 1, ())
    assert get(store, "SKU-1") == {"SKU-1": LAMP}


def price(item_id: str, **fields: str) -> str:
    inside = "".join(f"<g:{name}>{value}</g:{name}>" for name, value in fields.items())
    return f"<g:id>{item_id}</g:id>{inside}"


@pytest.mark.parametrize(
    ("availability", "quantity", "stock"),
    [
        ("in stock", "", None),
        ("in_stock", "3", 3),
        ("out of stock", "3", 0),
        ("out_of_stock", "", 0),
        ("backorder", "0", None),
        ("preorder", "", None),
    ],
)
def test_availability_and_quantity_make_the_stock(
    store: Store, clock: FixedClock, availability: str, quantity: str, stock: int | None
) -> None:
    bring(store, clock, rss(price("A", availability=availability, quantity=quantity)))
    assert get(store, "A")["A"].stock == stock


@pytest.mark.parametrize(
    ("fields", "cents"),
    [
        ({"price": "10 GBP"}, 1000),
        ({"price": "10 GBP", "sale_price": "8 GBP"}, 800),
        ({"price": "10 GBP", "sale_price": "12 GBP"}, 1000),
        (
            {
                "price": "10 GBP",
                "sale_price": "8 GBP",
                "sale_price_effective_date": "2026-04-01T00:00Z/2026-05-01T00:00Z",
            },
            1000,
        ),
        (
            {
                "price": "10 GBP",
                "sale_price": "8 GBP",
                "sale_price_effective_date": "2026-03-01T11:59Z/2026-03-01T12:00Z",
            },
            1000,
        ),
        ({"price": "10 GBP", "sale_price": "8 GBP", "sale_price_effective_date": "soon"}, 1000),
        ({"price": "12.50 EUR"}, 1000),
        ({"price": "GBP 1,234.50"}, 123450),
    ],
)
def test_the_price_is_what_is_asked_today_in_the_shops_currency(
    store: Store, clock: FixedClock, fields: dict[str, str], cents: int
) -> None:
    with store.write() as tx:
        put_quotes(tx, quote_all("EUR", NOW.date(), {"GBP": Decimal("0.8")}))
    bring(store, clock, rss(price("A", **fields)))
    assert get(store, "A")["A"].price_cents == cents


def test_each_price_is_read_by_its_own_decimal_mark(store: Store, clock: FixedClock) -> None:
    """A feed put together from several suppliers: "12,50 EUR" among points was set aside."""
    with store.write() as tx:
        put_quotes(tx, quote_all("EUR", NOW.date(), {"GBP": Decimal("1")}))
    prices = {
        "A": ("12,50 EUR", 1250),
        "B": ("9.99 GBP", 999),
        "C": ("1.234,50 EUR", 123450),
        "D": ("1,234.50", 123450),
        "E": ("GBP 7", 700),
        "F": ("0.5", 50),
    }
    bring(store, clock, rss(*(price(name, price=said) for name, (said, _) in prices.items())))
    found = {name: item.price_cents for name, item in get(store, *prices).items()}
    assert found == {name: cents for name, (_, cents) in prices.items()}


def test_what_cannot_be_used_is_set_aside_or_left_out_and_adds_up(
    store: Store, clock: FixedClock
) -> None:
    report = bring(
        store,
        clock,
        rss(
            price("A", price="10 USD"),
            price("B", price="10 ZZZ"),
            price("C", price="cheap"),
            price("D", price="-1 GBP"),
            price("", price="1 GBP"),
            price("E", price="1 GBP"),
            price("E", price="2 GBP", image_link="javascript:alert(1)", expiration_date="soon"),
        ),
    )
    assert (report.lines_in, report.lines_kept, report.lines_set_aside) == (7, 1, 6)
    assert {r.reason: r.lines for r in report.reasons} == {
        "currency_rate_missing": 1,
        "currency_other": 1,
        "number_unreadable": 1,
        "price_negative": 1,
        "item_missing": 1,
        "item_repeated": 1,
        "value_dropped": 1,
    }
    assert len(list_quarantine(store)) == 6
    assert get(store, "A", "B", "C", "D", "E") == {"E": Item(item_id="E", price_cents=200)}


def test_prices_and_stock_become_history_and_the_same_feed_changes_nothing(
    store: Store, clock: FixedClock
) -> None:
    first = rss(price("A", price="10 GBP", availability="in_stock", quantity="2"))
    bring(store, clock, first)
    assert bring(store, clock, first).events_new == 0
    clock.advance(timedelta(days=1))
    bring(store, clock, rss(price("A", price="8 GBP", availability="out_of_stock")))
    clock.advance(timedelta(days=1))
    bring(store, clock, rss(price("A", price="8 GBP", availability="in_stock", quantity="5")))
    with store.read() as tx:
        assert [m.value for m in price_history(tx, "A")] == [1000, 800]
        assert [m.value for m in stock_history(tx, "A")] == [2, 0, 5]


def test_fields_that_a_feed_does_not_have_stay(store: Store, clock: FixedClock) -> None:
    bring(store, clock, rss(ENTRY))
    bring(store, clock, "id,price,colour\nSKU-1,20.00 GBP,Red\n", "prices.csv")
    item = get(store, "SKU-1")["SKU-1"]
    assert (item.price_cents, item.margin_cents, item.name) == (2000, 1200, "Desk lamp & bulb")
    assert (item.attributes["color"], item.attributes["size"], item.stock) == ("Red", "M", 7)


def test_a_complete_feed_takes_what_it_does_not_list_off_sale(
    store: Store, clock: FixedClock
) -> None:
    bring(store, clock, rss(*(price(i, price="1 GBP") for i in "ABC")))
    bring(store, clock, rss(price("A", price="1 GBP"), price("B", price="bad")))
    assert all(item.active for item in get(store, "A", "B", "C").values())
    report = bring(
        store, clock, rss(price("A", price="1 GBP"), price("B", price="bad")), complete="yes"
    )
    items = get(store, "A", "B", "C")
    assert {i: item.active for i, item in items.items()} == {"A": True, "B": True, "C": False}
    assert [(n.code, dict(n.params)) for n in report.notes] == [
        ("clean.note.items_taken_off", {"n": 1})
    ]
    with pytest.raises(InvalidInput, match="holds no item"):
        bring(store, clock, rss(price("A", price="bad")), complete="yes")
    bring(store, clock, rss(price("C", price="1 GBP")))
    assert get(store, "C")["C"].active


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {c} "{f"&{p};" * 10}">' for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]><rss><channel><item><title>&i;</title></item></channel></rss>"
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (BOMB, "document type"),
        (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item>&x;</item></rss>',
            "document type",
        ),
        ('<!DOCTYPE rss SYSTEM "http://192.0.2.1/x.dtd"><rss></rss>', "document type"),
        ('<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><rss/>', "document type"),
        ("<a>" * 100_000, "nested deeper than 64"),
        (rss("<g:id>A</g:id>" + "<b>" * 100), "nested deeper than 64"),
        (rss("<g:id>A</g:id>")[:-20], "not well-formed XML: unclosed token"),
        (rss("<title>&nbsp;</title>"), "not well-formed XML: undefined entity"),
        (rss("<title>\x01</title>"), "not well-formed XML"),
        (rss("<title>a</title>").encode() + b"\xff", "not well-formed XML"),
        (
            b'<?xml version="1.0" encoding="utf-8"?><rss><item><id>\xe9\xff</id></item></rss>',
            "invalid token",
        ),
        (b'<?xml version="1.0" encoding="ebcdic-nowhere"?><rss/>', "unknown encoding"),
        ("<item><g:id>A</g:id></item>", "unbound prefix"),
        ("<html><body>Log in</body></html>", "no Google Merchant feed"),
        ("<rss><" + "a" * (5 << 20) + "></rss>", "a tag of more than 4 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 50 else "feed",
)
def test_hostile_and_broken_feeds_are_refused_and_write_nothing(
    store: Store, clock: FixedClock, content: str | bytes, told: str
) -> None:
    with pytest.raises(FileUnreadable, match=told):
        bring(store, clock, content)
    assert store.log.position() == 0


def test_a_huge_value_is_cut_and_a_windows_feed_is_read(store: Store, clock: FixedClock) -> None:
    long = rss(f"<g:id>A</g:id><title>{'x' * 3_000_000}</title><g:other>{'y' * 100}</g:other>")
    report = bring(store, clock, long)
    assert len(get(store, "A")["A"].name) == 500
    assert set(report.mapping.values()) == {"id", "title"}
    text = '<?xml version="1.0" encoding="windows-1252"?><rss><item><id>B</id><title>Café</title>'
    bring(store, clock, (text + "</item></rss>").encode("cp1252"))
    assert get(store, "B")["B"].name == "Café"


def test_a_packed_feed_says_what_to_do(store: Store, clock: FixedClock) -> None:
    path = store.folder / "feed.xml"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("feed.xml", rss(ENTRY))
    with pytest.raises(FileUnreadable, match=r"named \.xml but holds"):
        import_items(store, store.settings, clock, path)
