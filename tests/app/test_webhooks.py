"""A webhook from its signed bytes to what the shop holds, and the requests about persons."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from lingxi.access.sources import SourceKind, create_source, disable_source
from lingxi.app import jobs
from lingxi.app.privacy import list_requests, run_requests
from lingxi.app.queries.trace import get_trace
from lingxi.app.shop import Shop, init_shop
from lingxi.app.tasks import tend_coupons
from lingxi.app.webhooks import Taken, take_webhook
from lingxi.catalogue.tables import item as item_table
from lingxi.clock import FixedClock
from lingxi.coupons.file import read_offer
from lingxi.coupons.ledger import audit, read_totals
from lingxi.errors import BodyUnreadable, NotAuthenticated, UnknownCustomer
from lingxi.ingest import find_customer
from lingxi.ingest.webhooks.verify import sign

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ORDER = {
    "id": 5001,
    "created_at": "2026-03-01T10:00:00Z",
    "updated_at": "2026-03-01T10:00:05Z",
    "currency": "GBP",
    "total_price": "20.00",
    "customer": {"id": 77, "email": "ada@mail.example", "updated_at": "2026-03-01T10:00:05Z"},
    "line_items": [{"product_id": 1, "sku": "MUG-1", "quantity": 2, "price": "10.00"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    return folder


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    shop = Shop.open(folder, clock=FixedClock(NOW), environ={})
    for name, kind in (("shopify", SourceKind.SHOPIFY), ("woo", SourceKind.WOOCOMMERCE)):
        with shop.store.write() as tx:
            create_source(
                tx, shop.store.keyring, NOW, name, kind, actor="test", secret="s3cret older"
            )
    yield shop
    shop.close()


def send(
    shop: Shop,
    topic: str,
    body: object,
    *,
    delivery: str = "",
    secret: str = "s3cret",
    at: str = "",
) -> Taken:
    raw = msgspec.json.encode(body)
    headers = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": sign(secret, raw),
        "x-shopify-webhook-id": delivery,
        "x-shopify-triggered-at": at,
    }
    return take_webhook(shop, "shopify", headers, raw)


def is_known(shop: Shop, customer_id: str) -> bool:
    try:
        with shop.store.read() as tx:
            find_customer(tx, customer_id)
    except UnknownCustomer:
        return False
    return True


def test_a_delivery_is_taken_once(shop: Shop) -> None:
    assert send(shop, "orders/create", ORDER, delivery="d1").result == "taken"
    before = [(e.event_id, e.name) for e in shop.store.log.read()]
    assert send(shop, "orders/create", ORDER, delivery="d1").result == "known"
    assert send(shop, "orders/create", ORDER, delivery="d2").result == "taken"
    assert [(e.event_id, e.name) for e in shop.store.log.read()] == before
    assert [name for _, name in before].count("Order Completed") == 1


def test_paid_after_created_is_one_order_of_the_same_money(shop: Shop) -> None:
    send(shop, "orders/create", ORDER, delivery="d1")
    send(shop, "orders/paid", {**ORDER, "updated_at": "2026-03-01T10:01:00Z"}, delivery="d2")
    events = [e for e in shop.store.log.read() if e.order_id]
    assert [e.name for e in events] == ["Order Completed", "Order Updated"]
    assert events[0].amount_cents == 2000


def test_both_secrets_of_a_change_open_and_no_other(shop: Shop) -> None:
    assert send(shop, "shop/update", {}).result == "ignored"
    assert send(shop, "shop/update", {}, secret="older").result == "ignored"
    with pytest.raises(NotAuthenticated):
        send(shop, "orders/create", ORDER, secret="other")
    with shop.store.write() as tx:
        disable_source(tx, NOW, "shopify", actor="test")
    with pytest.raises(NotAuthenticated):
        send(shop, "shop/redact", {"shop_id": 1})
    assert shop.store.log.read() == []
    assert list_requests(shop) == []


def test_a_retry_of_hours_is_taken_and_a_replay_of_months_is_not(shop: Shop) -> None:
    assert send(shop, "orders/create", ORDER, at="2026-03-02T08:00:00Z").result == "taken"
    with pytest.raises(NotAuthenticated, match="30 days"):
        send(shop, "orders/create", ORDER, at="2026-01-02T08:00:00Z")


def test_a_signed_body_that_is_no_object_is_refused(shop: Shop) -> None:
    with pytest.raises(BodyUnreadable):
        send(shop, "orders/create", [])


def test_the_ping_of_woocommerce_needs_no_signature(shop: Shop) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert take_webhook(shop, "woo", form, b"webhook_id=12").result == "ping"
    with pytest.raises(NotAuthenticated):
        take_webhook(shop, "woo", form, b'{"id": 1}')


def test_a_person_is_erased_who_was_there_before(shop: Shop) -> None:
    send(shop, "orders/create", ORDER, delivery="d1")
    assert is_known(shop, "77")
    send(shop, "customers/redact", {"customer": {"id": 77, "email": "ada@mail.example"}})
    assert run_requests(shop) == 1
    assert not is_known(shop, "77")
    [request] = list_requests(shop)
    assert (request.done_at, request.outcome, list(request.ids)) == (NOW, "erased 1", [])
    assert run_requests(shop) == 0


def test_an_export_waits_for_the_owner(shop: Shop) -> None:
    send(shop, "orders/create", ORDER, delivery="d1")
    send(shop, "customers/data_request", {"customer": {"id": 77}})
    assert run_requests(shop) == 0
    [request] = list_requests(shop)
    assert (request.kind, list(request.ids), request.done_at) == ("export", ["77"], None)
    assert request.due_at == NOW + timedelta(days=30)
    assert is_known(shop, "77")


def test_an_export_that_was_asked_for_holds_nobody_who_is_erased(shop: Shop) -> None:
    """The address stood in the open request after everything else was gone."""
    send(shop, "orders/create", ORDER, delivery="d1")
    asked = (("d2", {"email": "ada@mail.example"}), ("d3", {"id": 88, "email": "eve@mail.example"}))
    for delivery, customer in asked:
        send(shop, "customers/data_request", {"customer": customer}, delivery=delivery)
    send(shop, "customers/redact", {"customer": {"id": 77}}, delivery="d4")
    assert run_requests(shop) == 1
    left = {request.outcome: list(request.ids) for request in list_requests(shop)}
    assert left == {"erased 1": [], None: ["88", "eve@mail.example"], "erased": []}


def test_a_shop_is_erased_after_the_app_is_gone(shop: Shop, folder: Path) -> None:
    """The platform asks 48 hours after the app was removed, and sends nothing afterwards."""
    send(shop, "orders/create", ORDER, delivery="d1")
    send(shop, "app/uninstalled", {"id": 1}, delivery="d2")
    assert send(shop, "shop/redact", {"shop_id": 1}, delivery="d3").result == "taken"
    assert run_requests(shop) == 0
    assert is_known(shop, "77")
    later = Shop.open(folder, clock=FixedClock(NOW + timedelta(days=21)), environ={})
    try:
        jobs.TRAINING[0].run(later, lambda *_: None)
        assert not is_known(later, "77")
        assert list_requests(later)[0].outcome == "erased 1"
    finally:
        later.close()


def _issue(shop: Shop, name: str) -> str:
    offer = read_offer({"benefit": {"kind": "percent", "percent": 10}}, name=name)
    with shop.store.write() as tx:
        shop.coupons.put_offer(tx, offer, NOW, actor="test")
        return shop.coupons.issue(tx, name, None, "k", NOW).text


def _account(shop: Shop, name: str) -> tuple[str, int]:
    with shop.store.read() as tx:
        assert audit(tx) == []
        totals = read_totals(tx, name)
    (held,) = [account for account, n in totals.coupons.items() if n]
    return held, totals.spent_cents


def test_a_shopify_order_redeems_our_code_and_a_whole_refund_gives_it_back(shop: Shop) -> None:
    code = _issue(shop, "ten")
    codes = [
        {"code": "FREESHIP", "amount": "3.95", "type": "shipping"},
        {"code": code, "amount": "2.00", "type": "percentage"},
    ]
    send(shop, "orders/create", {**ORDER, "discount_codes": codes}, delivery="d1")
    later = {**ORDER, "discount_codes": codes, "updated_at": "2026-03-01T11:00:00Z"}
    send(shop, "orders/updated", later, delivery="d2")
    assert tend_coupons(shop, NOW) == 1
    assert _account(shop, "ten") == ("redeemed", 200)
    assert shop.offers.list_all().strays == {"unknown": 1, "spent": 0}
    paid = {"kind": "refund", "status": "success", "currency": "GBP"}
    for number, money in ((1, "10.00"), (2, "10.00")):
        line = {"quantity": 1, "subtotal": 10.0, "line_item": {"sku": "MUG-1", "price": "10.00"}}
        refund = {"id": number, "order_id": 5001, "created_at": f"2026-03-01T1{number}:30:00Z"}
        refund |= {"refund_line_items": [line], "transactions": [{**paid, "amount": money}]}
        send(shop, "refunds/create", refund, delivery=f"r{number}")
        tend_coupons(shop, NOW)
        assert _account(shop, "ten") == (("redeemed", 200) if number == 1 else ("issued", 0))


def test_a_woocommerce_order_redeems_and_its_cancellation_releases(shop: Shop) -> None:
    code = _issue(shop, "ten")
    order = {
        "id": 727,
        "status": "processing",
        "currency": "GBP",
        "date_created_gmt": "2026-03-01T09:00:00",
        "date_modified_gmt": "2026-03-01T09:00:09",
        "total": "18.00",
        "customer_id": 5,
        "billing": {"email": "ada@mail.example"},
        "line_items": [{"product_id": 93, "quantity": 2, "price": 9, "name": "Mug"}],
        "coupon_lines": [{"id": 1, "code": code.lower(), "discount": "2.00", "discount_tax": "0"}],
    }

    def deliver(topic: str, body: dict[str, object]) -> None:
        raw = msgspec.json.encode(body)
        headers = {"x-wc-webhook-topic": topic, "x-wc-webhook-signature": sign("s3cret", raw)}
        assert take_webhook(shop, "woo", headers, raw).result == "taken"
        tend_coupons(shop, NOW)

    deliver("order.created", order)
    assert _account(shop, "ten") == ("redeemed", 200)
    deliver("order.updated", {**order, "status": "completed"})
    assert _account(shop, "ten") == ("redeemed", 200)
    deliver("order.updated", {**order, "status": "cancelled"})
    assert _account(shop, "ten") == ("issued", 0)


def test_a_variant_that_its_product_no_longer_lists_is_gone_and_comes_again(shop: Shop) -> None:
    """Shopify tells of a variant's end only by leaving it out of the product."""
    variants = [{"id": 11, "sku": "S"}, {"id": 12, "sku": "M"}]
    product = {"id": 1, "title": "Tee", "variants": variants}
    other = {"id": 2, "title": "Hat", "variants": [{"id": 21, "sku": "H"}]}

    def on_sale() -> list[str]:
        with shop.store.read() as tx:
            query = sa.select(item_table.c.item_id).where(item_table.c.active)
            return sorted(tx.execute(query).scalars())

    for told in (product, other):
        send(shop, "products/create", told)
    send(shop, "products/update", {**product, "variants": variants[:1]})
    assert on_sale() == ["H", "S"]
    send(shop, "products/update", product)
    assert on_sale() == ["H", "M", "S"]


def test_a_late_webhook_of_a_product_changes_nothing(shop: Shop) -> None:
    """Platforms send again for hours what was not answered: the older word stood then."""

    def deliver(platform: str, topic: str, body: dict[str, object]) -> None:
        raw = msgspec.json.encode(body)
        wc = {"x-wc-webhook-topic": topic, "x-wc-webhook-signature": sign("s3cret", raw)}
        sent = {"x-shopify-topic": topic, "x-shopify-hmac-sha256": sign("s3cret", raw)}
        take_webhook(shop, platform, wc if platform == "woo" else sent, raw)

    def tell(price: int, minute: int) -> None:
        moment = f"2026-03-01T10:{minute}:00"
        tee = {"id": 11, "sku": "TEE", "price": str(price)}
        body = {"id": 1, "title": "Tee", "updated_at": f"{moment}Z", "variants": [tee]}
        deliver("shopify", "products/update", body)
        mug = {"id": 1, "sku": "MUG", "name": "Mug", "price": str(price)}
        deliver("woo", "product.updated", {**mug, "date_modified_gmt": moment})
        stock = {"inventory_item_id": 5, "available": price, "updated_at": f"{moment}Z"}
        deliver("shopify", "inventory_levels/update", stock)

    def read() -> list[tuple[str, int, bool, int | None]]:
        c = item_table.c
        with shop.store.read() as tx:
            query = sa.select(c.item_id, c.price_cents, c.active, c.stock).order_by(c.item_id)
            return [tuple(row) for row in tx.execute(query)]

    pen = {"id": 12, "sku": "PEN", "price": "1", "inventory_item_id": 5}
    deliver("shopify", "products/create", {"id": 2, "title": "Pen", "variants": [pen]})
    tell(10, 10)
    tell(30, 30)
    tell(20, 20)
    assert read() == [("MUG", 3000, True, None), ("PEN", 100, True, 30), ("TEE", 3000, True, None)]
    tell(40, 40)
    for platform, topic in (("shopify", "products/delete"), ("woo", "product.deleted")):
        deliver(platform, topic, {"id": 1})
    tell(50, 50)  # was sent before, and came after
    assert [(item, price, active) for item, price, active, _ in read()] == [
        ("MUG", 4000, False),
        ("PEN", 100, True),
        ("TEE", 4000, False),
    ]


def test_the_way_of_a_second_telling_ends_at_what_the_log_has(shop: Shop) -> None:
    """It showed an order as stored, and its goods as bought, where nothing was."""
    send(shop, "orders/create", ORDER)
    line = {**ORDER["line_items"][0], "current_quantity": 1}  # type: ignore[index]
    later = {"updated_at": "2026-03-01T11:00:00Z", "line_items": [line]}
    send(shop, "orders/updated", {**ORDER, **later})
    trace = get_trace(shop, shop.recent.list(n=1)[0].number)
    assert trace.event["name"] == "Order Updated"
    assert [(c.code, c.params.get("n")) for c in trace.changes] == [
        ("trace.change.refunded", 1),
        ("trace.change.seen", None),
    ]
