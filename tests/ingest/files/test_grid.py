"""Every subject in every form of file: the same lines come to the same shop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lingxi.app import jobs
from lingxi.app.shop import init_shop
from lingxi.catalogue import get_items
from lingxi.clock import FixedClock
from lingxi.ingest import ImportOptions, find_customer
from lingxi.ingest.sealed import read_traits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lingxi.app.shop import Shop

Row = dict[str, object]
FORMS = ("csv", "jsonl", "json", "parquet", "xlsx")

ORDERS: list[Row] = [
    {"order_id": "1", "customer_id": "u1", "date": "2026-01-02 10:00", "sku": "A", "qty": 2,
     "price": 4.5},
    {"order_id": "1", "customer_id": "u1", "date": "2026-01-02 10:00", "sku": "B", "qty": 1,
     "price": 3},
    {"order_id": "2", "customer_id": "u2", "date": "2026-01-03 11:00", "sku": "A", "qty": 1,
     "price": 4.5},
]  # fmt: skip
CUSTOMERS: list[Row] = [
    {"customer_id": "u1", "email": "Ann@Example.com", "phone": "+44 20 7946 0018",
     "first_name": "Ann", "accepts_marketing": "yes", "updated_at": "2026-01-05T09:00:00Z"},
    {"customer_id": "u2", "email": None, "phone": None, "first_name": "Bob",
     "accepts_marketing": "no", "updated_at": "2026-01-05T09:00:00Z"},
]  # fmt: skip
EVENTS: list[Row] = [
    {"event": "Product Viewed", "user_id": "u1", "anonymous_id": "b1",
     "timestamp": "2026-01-04T10:00:00Z", "product_id": "A", "price": 4.5, "color": "red"},
    {"event": "search", "user_id": None, "anonymous_id": "b1",
     "timestamp": "2026-01-04T10:01:00Z", "product_id": None, "price": None, "color": None},
]  # fmt: skip
ITEMS: list[Row] = [
    {"item_id": "A", "name": "Lamp", "category": "Home > Lamps", "price": 4.5, "stock": 3},
    {"item_id": "B", "name": "Rug", "category": "Home > Rugs", "price": 3, "stock": 0},
]
SUBJECTS = {"orders": ORDERS, "customers": CUSTOMERS, "events": EVENTS, "items": ITEMS}
IMPORTS: dict[str, jobs.BringIn] = {
    "orders": jobs.import_orders,
    "customers": jobs.import_customers,
    "events": jobs.import_events,
    "items": jobs.import_items,
}


def write(folder: Path, name: str, rows: Sequence[Row], form: str) -> Path:
    path = folder / f"{name}.{form}"
    headers = list(rows[0])
    if form == "csv":
        lines = [",".join("" if row[h] is None else str(row[h]) for h in headers) for row in rows]
        path.write_text("\n".join([",".join(headers), *lines]), encoding="utf-8")
    elif form == "jsonl":
        path.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    elif form == "json":
        path.write_bytes(msgspec.json.format(msgspec.json.encode(rows)))
    elif form == "parquet":
        columns = {h: [row[h] for row in rows] for h in headers}
        pq.write_table(pa.table(columns), path)
    else:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        for row in [headers, *([row[h] for h in headers] for row in rows)]:
            sheet.append(row)
        book.save(path)
    return path


def open_shop(folder: Path) -> Shop:
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    return init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en", clock=clock)


def read(shop: Shop, kind: str) -> object:
    """What the shop holds of a subject, without what names the file."""
    if kind == "items":
        with shop.store.read() as tx:
            return get_items(tx, ["A", "B"])
    if kind == "customers":
        with shop.store.read() as tx:
            traits = [read_traits(shop.store, tx, find_customer(tx, c)) for c in ("u1", "u2")]
        consent = [shop.answers.consent(c).rows for c in ("u1", "u2")]
        return traits, consent
    return [
        msgspec.structs.replace(event, event_id="", position=0)
        for event in shop.store.log.read(limit=1000)
    ]


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_form_of_file_gives_the_same_shop(kind: str, tmp_path: Path) -> None:
    found = {}
    for form in FORMS:
        shop = open_shop(tmp_path / form)
        path = write(tmp_path, kind, SUBJECTS[kind], form)
        first = IMPORTS[kind](shop, path)
        assert first.lines_in == first.lines_kept == len(SUBJECTS[kind]), form
        log = shop.store.log.count()
        second = IMPORTS[kind](shop, path)
        assert (second.lines_kept, second.events_new) == (first.lines_kept, 0), form
        assert shop.store.log.count() == log
        found[form] = read(shop, kind)
        shop.close()
    assert found["csv"]
    for form in FORMS[1:]:
        assert found[form] == found["csv"], form


def test_columns_that_no_synonym_knows_are_mapped_in_every_subject(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop")
    names = {
        "orders": "order=c0,customer=c1,time=c2,item=c3,quantity=c4,price=c5",
        "customers": "customer=c0,email=c1,phone=c2,email_consent=c4,time=c5",
        "events": "event=c0,user=c1,anonymous=c2,time=c3,item=c4,price=c5",
        "items": "item=c0,name=c1,category=c2,price=c3,stock=c4",
    }
    for kind, rows in SUBJECTS.items():
        renamed = [{f"c{n}": value for n, value in enumerate(row.values())} for row in rows]
        path = write(tmp_path, kind, renamed, "csv")
        report = IMPORTS[kind](shop, path, ImportOptions.parse(mapping=names[kind]))
        assert report.lines_kept == len(rows), kind
    shop.close()


def test_orders_with_their_lines_in_them_are_read_from_json_and_parquet(tmp_path: Path) -> None:
    nested: list[Row] = [
        {"id": 1, "created_at": "2026-01-02 10:00:00", "customer": {"id": "u1"},
         "line_items": [{"sku": "A", "quantity": 2, "price": 4.5},
                        {"sku": "B", "quantity": 1, "price": 3.0}]},
        {"id": 2, "created_at": "2026-01-03 11:00:00", "customer": {"id": "u2"},
         "line_items": [{"sku": "A", "quantity": 1, "price": 4.5}]},
    ]  # fmt: skip
    for form in ("jsonl", "parquet"):
        shop = open_shop(tmp_path / form)
        path = write(tmp_path, "nested", nested, form)
        report = jobs.import_orders(shop, path, ImportOptions.parse(mapping="order=id"))
        orders = shop.store.log.read(names={"Order Completed"})
        shop.close()
        assert (report.lines_in, report.orders) == (3, 2), form
        assert [e.amount_cents for e in orders] == [1200, 450], form
