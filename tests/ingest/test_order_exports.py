"""Orders as the exports of shop systems write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lingxi.errors import UnknownColumn
from lingxi.ingest import (
    find_customer,
    import_orders,
)

if TYPE_CHECKING:
    from conftest import Bench


SHOPIFY = (
    "Name,Email,Financial Status,Created at,Currency,Shipping,Discount Amount,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku\n"
)


def test_postage_and_discount_of_the_order_are_its_costs(bench: Bench) -> None:
    bench.orders(
        SHOPIFY + "#1,a@x.com,paid,2024-01-05 10:00:00 +0100,GBP,4.90,5.00,1,Mug,0.00,M\n"
        "#1,a@x.com,,2024-01-05 10:00:00 +0100,,,,2,Bowl,7.50,B\n"
        "#2,b@x.com,refunded,2024-01-06 10:00:00 +0100,GBP,3.00,0.00,1,Mug,9.00,M\n"
    )
    events = {(e.name, e.order_id): (e.amount_cents, e.cost_cents) for e in bench.log()}
    assert events == {
        ("Order Completed", "#1"): (1500, -10),  # the free mug is set aside, its postage is not
        ("Order Completed", "#2"): (900, 300),
        ("Order Refunded", "#2"): (900, 300),
    }


@pytest.mark.parametrize(
    ("second", "cost"),
    [("4.95", 495), ("0", 495), ("", 495), ("2.00", 695)],
)
def test_a_value_repeated_on_every_line_counts_once(bench: Bench, second: str, cost: int) -> None:
    bench.orders(
        "Order Number,Order Date,SKU,Quantity,Item Cost,Order Shipping Amount,Customer User ID\n"
        f"7,2024-01-05,A,1,10,4.95,3\n7,2024-01-05,B,1,10,{second},3\n"
    )
    assert [e.cost_cents for e in bench.log()] == [cost]


@pytest.mark.parametrize(
    ("status", "orders", "refunds"),
    [
        ("wc-completed", 1, 0),
        ("wc-refunded", 1, 1),
        ("wc-cancelled", 0, 0),
        ("wc-on-hold", 0, 0),
        ("payment_failed", 0, 0),
        ("Rückerstattet", 1, 1),
    ],
)
def test_statuses_as_shop_systems_write_them(
    bench: Bench, status: str, orders: int, refunds: int
) -> None:
    report = bench.orders(
        f"order,customer,sku,qty,price,date,status\n1,k1,A,1,10,2024-01-05,{status}\n"
    )
    assert (report.orders, report.refunds) == (orders, refunds)


def test_a_file_without_header_says_how_one_line_an_order_is_read(bench: Bench) -> None:
    text = " 00004 19970101  2  29.33\n 00004 19970118  2  29.73\n 00021 19970101  3  63.34\n"
    with pytest.raises(UnknownColumn, match=r"no header line.*One line an order, without items"):
        bench.orders(text)
    report = bench.orders(text, mapping="customer=column 1,date=column 2,amount=column 4")
    assert (report.customers, report.orders, report.revenue_after_cents) == (2, 3, 12240)


def test_an_order_refunded_since_its_first_export_is_refunded_once(bench: Bench) -> None:
    text = "order,customer,sku,qty,price,date,status\n1,k1,A,1,10,2024-01-05,{}\n"
    assert bench.orders(text.format("paid")).events_new == 1
    later = bench.orders(text.format("refunded"))
    assert (later.events_new, later.refunds, later.revenue_after_cents) == (1, 1, 0)
    assert bench.orders(text.format("refunded")).events_new == 0
    assert [(e.name, e.order_id, e.amount_cents) for e in bench.log()] == [
        ("Order Completed", "1", 1000),
        ("Order Refunded", "1", 1000),
    ]


def test_an_order_sold_in_one_export_and_cancelled_in_a_later_one_comes_back(bench: Bench) -> None:
    head = "order,customer,sku,qty,price,date,status\n"
    text = head + "1,k1,A,2,10,2024-01-05,{}\n1,k1,B,1,5,2024-01-05,\n"
    assert bench.orders(text.format("paid")).orders == 1
    later = bench.orders(text.format("wc-cancelled"))
    assert (later.refunds, later.revenue_after_cents) == (1, 0)
    assert bench.orders(text.format("wc-cancelled")).events_new == 0
    assert [(e.name, e.order_id, e.amount_cents) for e in bench.log()] == [
        ("Order Completed", "1", 2500),
        ("Order Refunded", "1", 2500),
    ]
    never_sold = bench.orders(text.replace("\n1,", "\n2,").format("cancelled"))
    assert (never_sold.orders, never_sold.events_new) == (0, 0)


def test_the_id_of_an_order_with_lines_is_its_number(bench: Bench) -> None:
    """Without it two orders of one moment were one, and a webhook told of them once more."""
    rows = [
        {
            "id": number,
            "created_at": "2024-01-05T10:00:00Z",
            "customer": {"id": 9},
            "line_items": [{"sku": "A", "quantity": 1, "price": "5.00"}],
        }
        for number in (501, 502)
    ]
    path = bench.file("".join(f"{json.dumps(row)}\n" for row in rows), "orders.jsonl")
    import_orders(bench.store, bench.settings, bench.clock, path)
    assert [e.order_id for e in bench.log()] == ["501", "502"]


def test_german_headers_in_their_short_form(bench: Bench) -> None:
    bench.orders("BestellNr;Artikel;Menge;Preis;Datum;Kunde\n7;A;2;9,50;23.11.2023;K1\n")
    (order,) = bench.log()
    assert (order.order_id, order.amount_cents, order.lines[0].item_id) == ("7", 1900, "A")


def test_the_mark_of_a_spreadsheet_is_no_part_of_a_number(bench: Bench) -> None:
    """Shopify exports '6154498015379, and its webhooks name the customer without the mark."""
    bench.orders("order,customer,sku,qty,price,date\n'7,'6154,A,1,5,2024-01-05\n")
    bench.customers("Customer ID,Phone,Email\n'6154,'+447911123456,a@b.example\n")
    assert bench.log()[0].order_id == "7"
    assert len({e.subject for e in bench.log()}) == 1
    with bench.store.read() as tx:
        found = [find_customer(tx, who, store=bench.store) for who in ("+447911123456", "6154")]
    assert found[0] == found[1]
