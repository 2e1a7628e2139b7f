"""Payloads of the documented shapes, and the messages and events that they mean."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.config import Settings, ShopSettings
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.message import Cleaned, Message
from lingxi.ingest.webhooks import read_shopify, read_woocommerce, verify
from lingxi.ingest.webhooks.reading import Reading
from lingxi.ingest.webhooks.shopify import _TOPICS
from lingxi.ingest.webhooks.verify import sign
from lingxi.schema import Event

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RULES = Rules.of(Settings(folder=Path(), shop=ShopSettings(currency="GBP")))

SHOPIFY_ORDER = {
    "id": 5001,
    "name": "#1042",
    "email": "ada@mail.example",
    "created_at": "2026-03-01T10:00:00+01:00",
    "updated_at": "2026-03-01T10:00:05+01:00",
    "cancelled_at": None,
    "currency": "GBP",
    "total_price": "27.50",
    "total_tax": "0.50",
    "total_discounts": "0.00",
    "shipping_lines": [{"price": "2.00"}],
    "discount_codes": [{"code": "SPRING", "amount": "0.00", "type": "percentage"}],
    "customer": {
        "id": 77,
        "email": "ada@mail.example",
        "first_name": "Ada",
        "updated_at": "2026-03-01T10:00:05+01:00",
        "email_marketing_consent": {"state": "subscribed", "opt_in_level": "single_opt_in"},
    },
    "shipping_address": {"country_code": "GB", "zip": "SW1Y"},
    "line_items": [
        {
            "product_id": 1,
            "variant_id": 11,
            "sku": "MUG-1",
            "title": "Mug",
            "quantity": 2,
            "price": "10.00",
        },
        {"product_id": 2, "variant_id": 22, "sku": "", "title": "Tea", "quantity": 1, "price": "5"},
    ],
}
WOO_ORDER = {
    "id": 727,
    "status": "processing",
    "currency": "GBP",
    "date_created_gmt": "2026-03-01T09:00:00",
    "date_modified_gmt": "2026-03-01T09:00:09",
    "discount_total": "0.00",
    "shipping_total": "2.00",
    "total": "22.00",
    "total_tax": "0.00",
    "customer_id": 0,
    "billing": {"email": "ada@mail.example", "phone": "+44 20 7946 0018", "country": "GB"},
    "line_items": [
        {"product_id": 93, "variation_id": 0, "sku": "", "quantity": 2, "price": 10, "name": "Mug"}
    ],
    "coupon_lines": [{"code": "spring"}],
    "refunds": [],
}


def to_events(reading: Reading) -> list[Cleaned]:
    cleaned = []
    for body in reading.messages:
        raw = msgspec.json.encode(body)
        message = Message(body=body, raw=raw, received_at=NOW, source="shop", trusted=True)
        result = clean(message, RULES)
        assert isinstance(result, Cleaned), result
        cleaned.append(result)
    return cleaned


def test_a_shopify_order_is_a_customer_and_an_order() -> None:
    who, order = to_events(read_shopify("orders/create", dict(SHOPIFY_ORDER)))
    assert [(i.kind.value, i.value) for i in who.identifiers] == [
        ("user_id", "77"),
        ("email", "ada@mail.example"),
        ("external", "77"),
    ]
    assert who.also[0].name == "Consent Given"
    event = order.event
    assert event.name == "Order Completed"
    assert event.occurred_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert (event.order_id, event.amount_cents, event.cost_cents) == ("5001", 2500, 250)
    assert [(x.item_id, x.quantity, x.amount_cents) for x in event.lines] == [
        ("MUG-1", 2, 2000),
        ("22", 1, 500),
    ]
    assert (event.country, event.properties["coupon"]) == ("GB", "SPRING")


def test_the_states_of_a_shopify_order() -> None:
    def name(topic: str, **more: object) -> str:
        return to_events(read_shopify(topic, {**SHOPIFY_ORDER, **more}))[-1].event.name

    assert name("orders/updated") == "Order Updated"
    assert name("orders/cancelled", cancelled_at="2026-03-01T12:00:00Z") == "Order Cancelled"
    assert name("orders/fulfilled") == "Order Fulfilled"
    assert read_shopify("orders/create", {**SHOPIFY_ORDER, "test": True}) == Reading()


def test_a_shopify_refund_names_its_goods_and_money() -> None:
    [refund] = to_events(
        read_shopify(
            "refunds/create",
            {
                "id": 9,
                "order_id": 5001,
                "created_at": "2026-03-01T12:00:00Z",
                "refund_line_items": [
                    {
                        "quantity": 1,
                        "subtotal": 10.0,
                        "line_item": {"sku": "MUG-1", "price": "10.00"},
                    }
                ],
                "transactions": [
                    {"kind": "refund", "status": "success", "amount": "10.00", "currency": "GBP"}
                ],
            },
        )
    )
    event = refund.event
    assert (event.name, event.order_id, event.amount_cents) == ("Order Refunded", "5001", 1000)
    assert [(x.item_id, x.quantity) for x in event.lines] == [("MUG-1", 1)]


RETURNED = {
    "line_item_id": 1,
    "quantity": 1,
    "subtotal": 8.0,
    "total_tax": 0.0,
    "line_item": {"id": 1, "sku": "MUG-1", "price": "10.00"},
}
PAID_BACK = {"kind": "refund", "status": "success", "amount": "8.00", "currency": "GBP"}
REFUND = {
    "id": 9,
    "order_id": 5001,
    "created_at": "2026-03-01T12:00:00Z",
    "refund_line_items": [RETURNED],
    "transactions": [PAID_BACK],
}


def to_refund(**more: object) -> Event:
    [refund] = to_events(read_shopify("refunds/create", {**REFUND, **more}))
    return refund.event


def test_what_a_discount_took_off_is_a_cost_of_the_refund_too() -> None:
    """Goods come back at the price at which the order told of them, or a discounted order that came
    back whole would leave its discount standing."""
    event = to_refund()
    assert (event.amount_cents, event.cost_cents) == (1000, -200)


def test_a_shopify_refund_paid_in_another_currency_is_told_in_the_shops() -> None:
    """Transactions are in the currency of the payment, goods in the shop's."""
    money = {"shop_money": {"amount": "8.00", "currency_code": "GBP"}}
    event = to_refund(
        refund_line_items=[{**RETURNED, "subtotal_set": money}],
        transactions=[{**PAID_BACK, "amount": "10.40", "currency": "USD"}],
    )
    assert (event.amount_cents, event.cost_cents) == (1000, -200)
    assert "original_currency" not in event.properties


@pytest.mark.parametrize(
    "told",
    [
        {"order_adjustments": [{"kind": "shipping_refund", "amount": "-4.00", "tax_amount": "-1"}]},
        {"refund_shipping_lines": [{"subtotal_amount_set": {"shop_money": {"amount": "5.00"}}}]},
    ],
)
def test_a_shopify_refund_of_postage_is_of_no_goods(told: dict[str, object]) -> None:
    paid = [{**PAID_BACK, "amount": "5.00"}]
    event = to_refund(refund_line_items=[], transactions=paid, **told)
    assert (event.amount_cents, event.cost_cents, event.lines) == (0, 500, ())


def test_a_shopify_order_tells_of_its_refunds_under_their_own_ids() -> None:
    """Whichever webhook comes first, a refund counts once: the order is told with what was ordered,
    its refunds beside it."""
    line = {"id": 1, "sku": "MUG-1", "price": "10.00", "quantity": 2, "current_quantity": 1}
    body = {
        **SHOPIFY_ORDER,
        "line_items": [line],
        "current_total_price": "10.00",
        "refunds": [REFUND, {"id": 10, "transactions": []}],
    }
    _, order, refund = to_events(read_shopify("orders/updated", body))
    [alone] = to_events(read_shopify("refunds/create", dict(REFUND)))
    assert [(x.item_id, x.quantity) for x in order.event.lines] == [("MUG-1", 2)]
    assert (order.event.amount_cents, order.event.cost_cents) == (2000, -200)
    assert refund.event.event_id == alone.event.event_id
    assert (refund.event.amount_cents, refund.identifiers[0].value) == (1000, "77")
    cancelled = {**body, "cancelled_at": "2026-03-01T13:00:00Z"}
    names = [x.event.name for x in to_events(read_shopify("orders/cancelled", cancelled))]
    assert names[1:] == ["Order Refunded", "Order Cancelled"]


def test_a_shopify_consent_holds_from_when_it_was_given() -> None:
    """A customer's data that changes later says nothing new of consent: told as of the change it
    would undo a withdrawal that came in between."""
    said = {"state": "subscribed", "consent_updated_at": "2024-05-01T00:00:00Z"}
    customer = {"id": 77, "updated_at": "2026-03-01T10:00:05Z", "email_marketing_consent": said}
    [who] = to_events(read_shopify("customers/update", customer))
    assert who.also[0].occurred_at == datetime(2024, 5, 1, tzinfo=UTC)
    topic = "customers_email_marketing_consent/update"
    withdrawn = {"state": "unsubscribed", "consent_updated_at": "2026-03-01T11:00:00Z"}
    body = {"customer_id": 77, "email_address": "a@b.example", "email_marketing_consent": withdrawn}
    [told] = to_events(read_shopify(topic, body))
    assert [(e.name, e.properties["channel"]) for e in told.also] == [
        ("Consent Withdrawn", "email")
    ]
    assert told.also[0].occurred_at == datetime(2026, 3, 1, 11, tzinfo=UTC)


def test_shopify_products_and_stock_are_items() -> None:
    reading = read_shopify(
        "products/update",
        {
            "id": 1,
            "title": "Mug",
            "vendor": "Finch",
            "product_type": "Kitchen",
            "status": "active",
            "image": {"src": "https://cdn.example/mug.png"},
            "variants": [
                {
                    "id": 11,
                    "sku": "MUG-1",
                    "title": "Blue",
                    "price": "9.50",
                    "inventory_item_id": 111,
                    "inventory_management": "shopify",
                    "inventory_quantity": 3,
                }
            ],
        },
    )
    item = reading.items["MUG-1"]
    assert (item["name"], item["price"], item["stock"]) == ("Mug – Blue", 9.5, 3)
    stock = {"inventory_item_id": 111, "available": 0}
    assert read_shopify("inventory_levels/update", stock).stock == {"111": 0}


@pytest.mark.parametrize(
    ("told", "stock"),
    [
        ({"inventory_policy": "deny", "inventory_quantity": -2}, 0),
        ({"inventory_policy": "continue", "inventory_quantity": 0}, None),
        ({"inventory_management": None, "inventory_quantity": 0}, None),
    ],
)
def test_what_shopify_sells_on_is_not_out_of_stock(
    told: dict[str, object], stock: int | None
) -> None:
    variant = {"id": 11, "sku": "M", "inventory_management": "shopify", **told}
    reading = read_shopify("products/update", {"id": 1, "title": "Mug", "variants": [variant]})
    assert reading.items["M"]["stock"] == stock


def test_shopifys_privacy_topics_are_requests() -> None:
    customer = {"customer": {"id": 77, "email": "ada@mail.example", "phone": None}}
    [asked] = read_shopify("customers/redact", customer).requests
    assert (asked.kind, list(asked.ids)) == ("erase", ["77", "ada@mail.example"])
    assert read_shopify("customers/data_request", customer).requests[0].kind == "export"
    assert read_shopify("shop/redact", {"shop_id": 1}).requests[0].kind == "erase_shop"


def test_a_woocommerce_order_of_a_guest_is_known_by_the_address() -> None:
    [order] = to_events(read_woocommerce("order.created", dict(WOO_ORDER)))
    assert [(i.kind.value, i.value) for i in order.identifiers] == [
        ("email", "ada@mail.example"),
        ("phone", "+442079460018"),
    ]
    event = order.event
    assert (event.name, event.amount_cents, event.cost_cents) == ("Order Completed", 2000, 200)
    assert event.occurred_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert event.lines[0].item_id == "93"


@pytest.mark.parametrize(
    ("action", "status", "name"),
    [
        ("created", "pending", "Order Pending"),
        ("created", "on-hold", "Order Pending"),
        ("updated", "completed", "Order Updated"),
        ("updated", "cancelled", "Order Cancelled"),
        ("updated", "failed", "Order Cancelled"),
        ("updated", "refunded", "Order Refunded"),
        ("deleted", "", "Order Cancelled"),
    ],
)
def test_the_states_of_a_woocommerce_order(action: str, status: str, name: str) -> None:
    reading = read_woocommerce(f"order.{action}", {**WOO_ORDER, "status": status})
    assert to_events(reading)[-1].event.name == name


def test_refunds_inside_a_woocommerce_order_are_refunds() -> None:
    body = {**WOO_ORDER, "status": "processing", "refunds": [{"id": 5, "total": "-4.00"}]}
    *_, refund = to_events(read_woocommerce("order.updated", body))
    assert (refund.event.name, refund.event.amount_cents) == ("Order Refunded", 400)


def test_a_signature_is_that_of_the_raw_bytes() -> None:
    body = b'{"id": 1 }'
    headers = {"x-shopify-hmac-sha256": sign("s3cret", body)}
    assert verify(headers, body, ["old", "s3cret"])
    assert not verify(headers, b'{"id":1}', ["s3cret"])
    assert not verify(headers, body, ["other"])
    assert not verify({}, body, ["s3cret"])
    assert not verify({"x-wc-webhook-signature": "é"}, body, ["s3cret"])


def test_a_woocommerce_category_is_named_as_it_reads_and_not_as_html() -> None:
    body = {"id": 93, "name": "Mug", "categories": [{"id": 1, "name": "Kitchen &amp; Home"}]}
    assert read_woocommerce("product.updated", body).items["93"]["category"] == "Kitchen & Home"


KEYS = st.sampled_from([*SHOPIFY_ORDER, *WOO_ORDER, "variants", "transactions", "refunds", "sku"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(_TOPICS)), st.dictionaries(KEYS, JSON, max_size=8))
def test_whatever_is_signed_is_read(topic: str, body: dict[str, object]) -> None:
    for reading in (read_shopify(topic, body), read_woocommerce("order.updated", body)):
        for each in reading.messages:
            raw = msgspec.json.encode(each)
            clean(Message(body=each, raw=raw, received_at=NOW, source="s", trusted=True), RULES)


@pytest.mark.parametrize(
    ("told", "stock"),
    [
        ({"stock_status": "outofstock", "stock_quantity": None}, 0),
        ({"stock_status": "instock", "stock_quantity": None}, None),
        ({"stock_status": "onbackorder", "stock_quantity": -3}, None),
        ({"stock_status": "instock", "stock_quantity": 4}, 4),
    ],
)
def test_a_woocommerce_product_back_in_stock_is_no_longer_out(
    told: dict[str, object], stock: int | None
) -> None:
    """One whose units are not counted was out of stock for good once it had been."""
    reading = read_woocommerce("product.updated", {"id": 7, "name": "Hat &amp; Cap", **told})
    assert (reading.items["7"]["stock"], reading.items["7"]["name"]) == (stock, "Hat & Cap")


def test_a_variation_of_woocommerce_is_of_its_products_group() -> None:
    body = {"id": 8, "parent_id": 7, "sku": "HAT-R", "name": "Hat - red"}
    item = read_woocommerce("product.updated", body).items["HAT-R"]
    assert (item["group_id"], item["attributes"]) == ("7", {"variation_id": "8"})


def test_a_refund_of_woocommerce_tells_its_share_of_the_tax_as_a_cost() -> None:
    """The webhook says what was paid back, taxes in it: £60 of £120 are £50 of goods."""
    body = {**WOO_ORDER, "total": "120.00", "total_tax": "20.00", "refunds": [{"id": 5}]}
    body["refunds"] = [{"id": 5, "total": "-60.00"}]
    *_, refund = to_events(read_woocommerce("order.updated", body))
    assert (refund.event.amount_cents, refund.event.cost_cents) == (5000, 1000)


def test_goods_of_woocommerce_are_worth_what_they_cost_before_the_discount() -> None:
    """As Shopify's are, and those of files: a discount is a cost of the order."""
    line = {**WOO_ORDER["line_items"][0], "subtotal": "20.00", "total": "15.00", "price": 7.5}
    body = {**WOO_ORDER, "discount_total": "5.00", "total": "17.00", "line_items": [line]}
    [order] = to_events(read_woocommerce("order.created", body))
    shopify = {
        **SHOPIFY_ORDER,
        "current_total_price": "17.00",
        "current_total_discounts": "5.00",
        "line_items": SHOPIFY_ORDER["line_items"][:1],
    }
    *_, other = to_events(read_shopify("orders/create", shopify))
    for event in (order.event, other.event):
        assert (event.amount_cents, event.cost_cents) == (2000, -300)
    half = {**body, "refunds": [{"id": 5, "total": "-7.50"}]}
    *_, refund = to_events(read_woocommerce("order.updated", half))
    assert (refund.event.amount_cents, refund.event.cost_cents) == (1000, -250)
