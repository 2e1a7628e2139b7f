"""An order under two numbers is one order, whichever of them is told first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lingxi.ingest.intake import Intake
from lingxi.ingest.message import Message
from lingxi.ingest.order_names import is_gone, list_numbers
from lingxi.ingest.webhooks import read_shopify, read_woocommerce
from lingxi.schema import Name

if TYPE_CHECKING:
    from ingest.conftest import Bench

SHOPIFY: dict[str, Any] = {
    "id": 5001,
    "name": "#1001",
    "email": "ann@x.com",
    "created_at": "2024-01-05T09:00:00Z",
    "updated_at": "2024-01-05T09:00:05Z",
    "currency": "GBP",
    "total_price": "25.00",
    "customer": {"id": 77, "email": "ann@x.com", "updated_at": "2024-01-05T09:00:05Z"},
    "line_items": [
        {"id": 1, "sku": "M", "variant_id": 91, "quantity": 1, "price": "10.00"},
        {"id": 2, "sku": "B", "variant_id": 92, "quantity": 2, "price": "7.50"},
    ],
}
WOO: dict[str, Any] = {
    "id": 5001,
    "number": "1001",
    "status": "processing",
    "date_created_gmt": "2024-01-05T09:00:00",
    "date_modified_gmt": "2024-01-05T09:00:05",
    "currency": "GBP",
    "total": "25.00",
    "customer_id": 77,
    "billing": {"email": "ann@x.com"},
    "line_items": [
        {"id": 1, "product_id": 91, "sku": "M", "quantity": 1, "price": 10.0, "total": "10.00"},
        {"id": 2, "product_id": 92, "sku": "B", "quantity": 2, "price": 7.5, "total": "15.00"},
    ],
}
HEAD = (
    "Name,Email,Financial Status,Paid at,Currency,Refunded Amount,Created at,Lineitem quantity,"
    "Lineitem name,Lineitem price,Lineitem sku\n"
)


def export(name: str = "#1001", back: str = "0.00", goods: tuple[str, str] = ("M", "B")) -> str:
    paid = "2024-01-05 09:00:00 +0000"
    return (
        f"{HEAD}{name},ann@x.com,paid,{paid},GBP,{back},{paid},1,Mug,10.00,{goods[0]}\n"
        f"{name},ann@x.com,,,,,{paid},2,Bowl,7.50,{goods[1]}\n"
    )


def send(bench: Bench, platform: str, topic: str, body: dict[str, Any]) -> None:
    read = {"shopify": read_shopify, "woo": read_woocommerce}[platform]
    intake = Intake(bench.store, bench.settings, bench.clock)
    now = bench.clock.now()
    raw = msgspec.json.encode
    intake.take(
        [
            Message(body=each, raw=raw(each), received_at=now, source=platform, trusted=True)
            for each in read(topic, body).messages
        ]
    )


def net(bench: Bench) -> int:
    signs = {Name.ORDER_COMPLETED: 1, Name.ORDER_REFUNDED: -1}
    return sum(
        signs.get(Name(e.name), 0) * (e.amount_cents or 0) for e in bench.log() if e.order_id
    )


def count(bench: Bench, name: Name) -> int:
    return sum(e.name == name for e in bench.log())


def numbers(bench: Bench) -> set[str]:
    return {e.order_id for e in bench.log() if e.order_id}


@pytest.mark.parametrize(
    ("platform", "topic", "body", "name"),
    [("shopify", "orders/create", SHOPIFY, "#1001"), ("woo", "order.created", WOO, "1001")],
)
def test_a_file_that_names_an_order_of_a_webhook_is_of_that_order(
    bench: Bench, platform: str, topic: str, body: dict[str, Any], name: str
) -> None:
    """Only where the file came first were the two joined; after the webhook it counted twice."""
    send(bench, platform, topic, body)
    bench.orders(export(name))
    assert (net(bench), count(bench, Name.ORDER_COMPLETED)) == (2500, 1)
    assert numbers(bench) == {"5001"}
    before = bench.log()
    assert bench.orders(export(name)).events_new == 0
    assert bench.log() == before


def test_what_the_file_says_came_back_is_of_that_order_and_counts_once(bench: Bench) -> None:
    send(bench, "shopify", "orders/create", SHOPIFY)
    bench.orders(export(back="7.50"))
    assert net(bench) == 2500 - 750
    refund = {
        "id": 9,
        "order_id": 5001,
        "created_at": "2024-01-06T09:00:00Z",
        "refund_line_items": [
            {"quantity": 1, "subtotal": "7.50", "line_item": SHOPIFY["line_items"][1]}
        ],
        "transactions": [{"amount": "7.50", "kind": "refund", "status": "success"}],
    }
    send(bench, "shopify", "refunds/create", refund)
    assert net(bench) == 2500 - 750
    bench.orders(export(back="17.50"))
    assert net(bench) == 2500 - 1750
    bench.orders(export(back="25.00"))
    assert net(bench) == 0
    assert numbers(bench) == {"5001"}


def test_a_file_of_the_order_that_a_webhook_tells_of_after_a_file_adds_once(bench: Bench) -> None:
    bench.orders(export())
    send(bench, "shopify", "orders/create", SHOPIFY)
    bench.orders(export(back="7.50"))
    assert (net(bench), count(bench, Name.ORDER_COMPLETED)) == (2500 - 750, 1)
    cancelled = {**SHOPIFY, "cancelled_at": "2024-01-09T09:00:00Z"}
    send(bench, "shopify", "orders/cancelled", cancelled)
    assert net(bench) == 0
    assert numbers(bench) == {"#1001"}


def test_an_order_of_goods_without_sku_is_known_by_units_and_money(bench: Bench) -> None:
    bare = [{**each, "sku": ""} for each in SHOPIFY["line_items"]]
    send(bench, "shopify", "orders/create", {**SHOPIFY, "line_items": bare})
    bench.orders(export(goods=("", "")))
    assert (net(bench), count(bench, Name.ORDER_COMPLETED)) == (2500, 1)


def test_an_order_of_that_name_of_another_shop_is_another(bench: Bench) -> None:
    send(bench, "shopify", "orders/create", SHOPIFY)
    other = export(goods=("X", "Y")).replace("10.00", "11.00")
    bench.orders(other)
    assert (net(bench), numbers(bench)) == (5100, {"5001", "#1001"})
    bench.orders(other.replace("0.00", "26.00"))
    with bench.store.read() as tx:
        assert not is_gone(tx, "5001")


@pytest.mark.parametrize("first", ["file", "webhook"])
def test_an_order_is_gone_under_each_of_its_numbers(bench: Bench, first: str) -> None:
    """A coupon of an order that the log has under a file's name was never given back."""
    if first == "file":
        bench.orders(export())
    send(bench, "shopify", "orders/create", SHOPIFY)
    both = ["5001", "#1001"]
    with bench.store.read() as tx:
        assert [list_numbers(tx, number) for number in both] == [set(both)] * 2
        assert [is_gone(tx, number) for number in both] == [False, False]
    cancelled = {**SHOPIFY, "cancelled_at": "2024-01-09T09:00:00Z"}
    send(bench, "shopify", "orders/cancelled", cancelled)
    with bench.store.read() as tx:
        assert [is_gone(tx, number) for number in both] == [True, True]


def test_a_name_that_two_orders_have_stands_for_neither(bench: Bench) -> None:
    send(bench, "shopify", "orders/create", SHOPIFY)
    send(bench, "shopify", "orders/create", {**SHOPIFY, "id": 7001, "email": "bob@x.com"})
    with bench.store.read() as tx:
        assert list_numbers(tx, "#1001") == {"#1001"}
        assert list_numbers(tx, "5001") == {"5001"}
