"""Signed webhooks that do not say what their topic must: set aside whole, and answered as taken."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from lingxi.access.sources import SourceKind, create_source
from lingxi.app.privacy import run_requests
from lingxi.app.queries.waiting import mend_message, replay_messages
from lingxi.app.shop import Shop, init_shop
from lingxi.app.webhooks import Taken, take_webhook
from lingxi.catalogue import get_items, put_items
from lingxi.clock import FixedClock
from lingxi.errors import BodyUnreadable
from lingxi.ingest.waiting import Waiting, list_waiting
from lingxi.ingest.webhooks.verify import sign
from lingxi.schema import Item

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = [{"product_id": 1, "sku": "MUG-1", "quantity": 2, "price": "10.00"}]
WHO = {"id": 77, "email": "ada@mail.example"}
ORDER = {"id": 5001, "total_price": "20.00", "currency": "GBP", "line_items": LINES}
WOO = {"id": 727, "status": "processing", "total": "20.00", "line_items": LINES}
LACKING = [
    ("orders/create", "id"),
    ("orders/updated", "id"),
    ("orders/paid", "id"),
    ("orders/cancelled", "id"),
    ("orders/fulfilled", "id"),
    ("orders/delete", "id"),
    ("refunds/create", "id"),
    ("customers/create", "id"),
    ("customers/update", "id"),
    ("checkouts/create", "token or id"),
    ("checkouts/update", "token or id"),
    ("carts/create", "token or id"),
    ("carts/update", "token or id"),
    ("products/create", "id"),
    ("products/update", "id"),
    ("products/delete", "id"),
    ("inventory_levels/update", "inventory_item_id"),
    ("order.created", "id"),
    ("order.updated", "id"),
    ("order.restored", "id"),
    ("order.deleted", "id"),
    ("customer.created", "id"),
    ("customer.updated", "id"),
    ("product.created", "id"),
    ("product.updated", "id"),
    ("product.deleted", "id"),
]
PARTLY = [
    ("orders/create", {"id": 5001, "customer": WHO}, "current_total_price or total_price or"),
    ("orders/updated", {"id": 5001, "line_items": [], "total_price": None}, "current_total_price"),
    ("refunds/create", {"id": 9, "order_id": None, "transactions": [{}]}, "order_id"),
    ("refunds/create", {"id": 9, "order_id": 5001}, "refund_line_items or transactions"),
    (
        "refunds/create",
        {"id": 9, "order_id": 5001, "transactions": [{"kind": "refund", "status": "pending"}]},
        "refund_line_items or transactions",
    ),
    ("products/update", {"id": 1, "title": "Mug"}, "variants"),
    ("order.created", {"id": 727, "total": "20.00"}, "status"),
    ("order.created", {"id": 727, "status": "processing"}, "total or line_items"),
    ("order.updated", {**WOO, "refunds": [{"id": 5}]}, "refunds.total"),
    ("order.updated", {**WOO, "refunds": [{"total": "-4.00"}]}, "refunds.id"),
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    shop = Shop.open(folder, clock=FixedClock(NOW), environ={})
    with shop.store.write() as tx:
        for name, kind in (("shopify", SourceKind.SHOPIFY), ("woo", SourceKind.WOOCOMMERCE)):
            create_source(tx, shop.store.keyring, NOW, name, kind, actor="test", secret="s3cret")
    yield shop
    shop.close()


def send(shop: Shop, topic: str, raw: bytes, *, delivery: str = "") -> Taken:
    """Deliver signed bytes: a topic with a slash is Shopify's, one with a point WooCommerce's."""
    source, sign_of = ("shopify", "shopify-hmac-sha256") if "/" in topic else ("woo", "")
    headers = {
        f"x-{sign_of or 'wc-webhook-signature'}": sign("s3cret", raw),
        "x-shopify-topic" if sign_of else "x-wc-webhook-topic": topic,
        "x-shopify-webhook-id" if sign_of else "x-wc-webhook-delivery-id": delivery,
    }
    return take_webhook(shop, source, headers, raw)


def set_aside(shop: Shop, topic: str, raw: bytes) -> Waiting:
    """Deliver, and the one message that waits in quarantine then; nothing else came of it."""
    assert send(shop, topic, raw) == Taken(success=True, result="set_aside")
    assert shop.store.log.read() == []
    [waiting] = list_waiting(shop.store)
    assert (waiting.reason, waiting.message.raw) == ("webhook_incomplete", raw)
    return waiting


@pytest.mark.parametrize("raw", [b"{}", b'{"id": null, "token": "", "order_id": {}}', b'{"id":[]}'])
@pytest.mark.parametrize(("topic", "lacking"), LACKING)
def test_a_webhook_without_its_id_is_set_aside(
    shop: Shop, topic: str, lacking: str, raw: bytes
) -> None:
    """An order of nothing was stored under an id made up, and an item without one was listed."""
    assert set_aside(shop, topic, raw).detail == f"{topic}: {lacking}"


@pytest.mark.parametrize("raw", [b"[]", b"5", b"null", b'"text"', b"no json"])
@pytest.mark.parametrize(("topic", "lacking"), LACKING)
def test_a_body_that_is_no_object_is_refused(
    shop: Shop, topic: str, lacking: str, raw: bytes
) -> None:
    del lacking
    with pytest.raises(BodyUnreadable):
        send(shop, topic, raw)
    assert shop.store.log.read() == []


@pytest.mark.parametrize(("topic", "body", "lacking"), PARTLY)
def test_a_webhook_that_says_too_little_is_set_aside(
    shop: Shop, topic: str, body: dict[str, object], lacking: str
) -> None:
    assert lacking in set_aside(shop, topic, msgspec.json.encode(body)).detail


def test_what_is_set_aside_is_known_when_it_comes_again(shop: Shop) -> None:
    assert send(shop, "orders/create", b"{}", delivery="d1").result == "set_aside"
    assert send(shop, "orders/create", b"{}", delivery="d1").result == "known"


def test_whatever_names_its_id_is_taken(shop: Shop) -> None:
    taken = [
        ("orders/create", ORDER),
        ("orders/delete", {"id": 5001}),
        ("products/delete", {"id": 1}),
        ("carts/create", {"token": "c1", "line_items": []}),
        ("order.created", WOO),
        ("order.deleted", {"id": 727}),
        ("product.deleted", {"id": 93}),
    ]
    for topic, body in taken:
        assert send(shop, topic, msgspec.json.encode(body)).result == "taken", topic
    assert list_waiting(shop.store) == []


def test_the_removal_of_no_product_removes_none(shop: Shop) -> None:
    """Every item that said its group to be an empty text went."""
    with shop.store.write() as tx:
        put_items(shop.store, tx, [Item(item_id="MUG-1", name="Mug", group_id="")], NOW)
    send(shop, "products/delete", b"{}")
    send(shop, "product.deleted", b"{}")
    with shop.store.read() as tx:
        assert not get_items(tx, ["MUG-1"])["MUG-1"].removed


def test_a_refund_of_nothing_does_not_take_the_order_back(shop: Shop) -> None:
    send(shop, "order.created", msgspec.json.encode(WOO))
    restocked = {**WOO, "status": "completed", "refunds": [{"id": 5, "total": "0.00"}]}
    assert send(shop, "order.updated", msgspec.json.encode(restocked)).result == "taken"
    events = shop.store.log.read(names=["Order Completed", "Order Refunded"])
    assert [(e.name, e.amount_cents) for e in events] == [("Order Completed", 2000)]


def test_a_replay_leaves_it_as_it_is_and_a_message_mends_it(shop: Shop) -> None:
    raw = msgspec.json.encode({**ORDER, "id": None})
    before = set_aside(shop, "orders/create", raw)
    assert replay_messages(shop).still_waiting == 1
    assert list_waiting(shop.store) == [before]
    with pytest.raises(BodyUnreadable, match="Order Completed"):
        mend_message(shop, before.id, msgspec.json.encode(ORDER).decode())
    meant = {
        "type": "track",
        "event": "Order Completed",
        "userId": "77",
        "properties": {"order_id": "5001", "total": 20},
    }
    assert mend_message(shop, before.id, msgspec.json.encode(meant).decode()).stored == 1
    assert list_waiting(shop.store) == []
    assert [e.order_id for e in shop.store.log.read() if e.order_id] == ["5001"]


@pytest.mark.parametrize("who", [{"id": 77}, {"email": "ada@mail.example"}])
def test_who_is_erased_is_named_by_no_webhook_that_waits(
    shop: Shop, who: dict[str, object]
) -> None:
    send(shop, "customers/update", msgspec.json.encode({**WHO, "first_name": "Ada"}))
    send(shop, "orders/create", msgspec.json.encode({**ORDER, "id": None, "customer": who}))
    assert len(list_waiting(shop.store)) == 1
    send(shop, "customers/redact", msgspec.json.encode({"customer": WHO}))
    assert run_requests(shop) == 1
    assert list_waiting(shop.store) == []
