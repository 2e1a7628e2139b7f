"""What outstanding coupons may cost, against amounts worked out by hand; Shopify's price rules."""

from datetime import timedelta

import pytest
from coupon_shop import BASKET, NOW, make_offer, put

from lingxi.coupons import Coupons
from lingxi.coupons.ledger import Totals
from lingxi.coupons.liability import assess, report_liability
from lingxi.coupons.shopify import export_offer
from lingxi.errors import InvalidInput

AMOUNT = {"benefit": {"kind": "amount", "cents": 500}}
SHARED = {"code": {"kind": "shared", "text": "SPRING-24"}}


@pytest.mark.parametrize(
    ("parts", "most"),
    [
        ({}, None),
        ({"benefit": {"kind": "percent", "percent": 10, "at_most_cents": 200}}, 2_000),
        (AMOUNT, 5_000),
        ({**AMOUNT, "limits": {"budget_cents": 5_000}}, 3_000),
        ({**AMOUNT, "limits": {"redemptions": 6}}, 1_000),
        ({"limits": {"budget_cents": 5_000}}, 3_000),
        ({"limits": {"redemptions": 4}}, 0),
        ({"benefit": {"kind": "points", "points": 9, "worth_cents": 7}}, 70),
        ({"benefit": {"kind": "gift", "item_id": "PEN", "quantity": 2, "worth_cents": 7}}, 140),
        ({**AMOUNT, **SHARED}, None),
        ({**AMOUNT, **SHARED, "limits": {"redemptions": 54}}, 25_000),
    ],
)
def test_the_most_that_may_be_spent(parts: dict[str, object], most: int | None) -> None:
    """Ten outstanding, four redeemed for 2,000."""
    totals = Totals({"issued": 6, "seen": 4, "redeemed": 4, "expired": 4}, 2_000)
    found = assess(make_offer(**parts), totals, {})
    assert (found.outstanding, found.most_cents) == (10, most)
    assert found.expected is None  # eight are closed


def test_what_is_expected_is_the_share_redeemed_so_far_at_its_mean_cost() -> None:
    totals = Totals({"issued": 100, "redeemed": 40, "expired": 60, "revoked": 9}, 40 * 450)
    found = assess(make_offer(**AMOUNT), totals, {}).expected
    assert found is not None
    assert found.value == pytest.approx(100 * 0.4 * 450)
    assert (found.low, found.high) == pytest.approx((0.3094 * 45_000, 0.4980 * 45_000), rel=1e-3)
    assert assess(make_offer(**AMOUNT, **SHARED), totals, {}).expected is None
    none = Totals({"issued": 5, "expired": 60}, 0)
    assert assess(make_offer(**AMOUNT), none, {}).expected is None


def test_outstanding_coupons_are_counted_by_when_they_end(till: Coupons) -> None:
    for days in (3, 20, 60, 200):
        put(till, make_offer(validity={"days": days}))
        with till.store.write() as tx:
            till.issue(tx, "spring", 7, f"k{days}", NOW)
    put(till, make_offer())
    with till.store.write() as tx:
        for key in ("never", "used"):
            code = till.issue(tx, "spring", 7, key, NOW)
        till.redeem(tx, code.text, BASKET, 7, order_id="o", key="o", now=NOW)
    with till.store.read() as tx:
        (found,) = report_liability(tx, NOW)
    assert found.by_expiry == {"week": 1, "month": 1, "quarter": 1, "later": 1, "never": 1}


def export(till: Coupons, **parts: object) -> list[dict[str, object]]:
    put(till, make_offer(**parts))
    with till.store.write() as tx:
        return export_offer(tx, till.vault, "spring", "GBP", NOW)


def test_a_shared_code_is_one_price_rule(till: Coupons) -> None:
    found = export(
        till,
        **SHARED,
        conditions={"minimum_cents": 4_000, "items": ["632910392"]},
        validity={"ends_at": "2026-06-01T00:00:00Z"},
        limits={"redemptions": 20},
    )
    assert found == [
        {
            "price_rule": {
                "title": "spring",
                "target_type": "line_item",
                "target_selection": "entitled",
                "allocation_method": "each",
                "value_type": "percentage",
                "value": "-10.0",
                "customer_selection": "all",
                "once_per_customer": True,
                "usage_limit": 20,
                "starts_at": NOW.isoformat(),
                "ends_at": "2026-06-01T00:00:00+00:00",
                "entitled_product_ids": [632910392],
                "prerequisite_subtotal_range": {"greater_than_or_equal_to": "40.00"},
            },
            "batches": [{"discount_codes": [{"code": "SPRING-24"}]}],
        }
    ]


def test_codes_of_one_end_share_a_rule_in_batches_of_a_hundred(till: Coupons) -> None:
    put(till, make_offer(**AMOUNT, validity={"days": 5}))
    with till.store.write() as tx:
        texts = [till.issue(tx, "spring", 7, f"k{at}", NOW).text for at in range(101)]
        later = till.issue(tx, "spring", 7, "later", NOW + timedelta(days=1))
        used = till.issue(tx, "spring", 7, "used", NOW)
        till.redeem(tx, used.text, BASKET, 7, order_id="o", key="o", now=NOW)
    first, second = export(till, **AMOUNT, validity={"days": 5})
    assert first["price_rule"]["value"] == "-5.00"
    assert first["price_rule"]["allocation_method"] == "across"
    assert first["price_rule"]["usage_limit"] == 1
    assert [len(each["discount_codes"]) for each in first["batches"]] == [100, 1]
    codes = [each["code"] for batch in first["batches"] for each in batch["discount_codes"]]
    assert codes == texts
    assert second["batches"] == [{"discount_codes": [{"code": later.text}]}]
    assert second["price_rule"]["ends_at"] > first["price_rule"]["ends_at"]


def test_free_shipping_is_all_of_the_shipping_line(till: Coupons) -> None:
    (found,) = export(
        till, **SHARED, benefit={"kind": "free_shipping"}, limits={"per_customer": None}
    )
    rule = found["price_rule"]
    assert (rule["target_type"], rule["value"], rule["once_per_customer"]) == (
        "shipping_line",
        "-100.0",
        False,
    )


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"benefit": {"kind": "points", "points": 5}}, "points"),
        ({"benefit": {"kind": "percent", "percent": 10, "at_most_cents": 5}}, "most"),
        ({"conditions": {"categories": ["Lamps"]}}, "categories"),
        ({"conditions": {"segment": "vips"}}, "segment"),
        ({"conditions": {"first_order": True}}, "first orders"),
        ({"conditions": {"items": ["MUG"]}}, "by number"),
        ({"personal": True}, "personal"),
        ({"limits": {"per_customer": 3}}, "several times"),
    ],
)
def test_what_a_price_rule_cannot_say_is_refused(
    till: Coupons, parts: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        export(till, **SHARED, **parts)
