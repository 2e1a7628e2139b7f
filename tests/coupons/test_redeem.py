"""What the checkout is told: discounts by hand, every refusal, once and only once."""

from datetime import UTC, datetime, timedelta

import pytest
from coupon_shop import BASKET, NOW, make_offer, put
from hypothesis import given
from hypothesis import strategies as st

from lingxi.catalogue import put_items
from lingxi.coupons import Basket, BasketLine, Coupons, Verdict
from lingxi.coupons.discount import percent_of, spread
from lingxi.coupons.jobs import run_once
from lingxi.coupons.ledger import audit, read_totals
from lingxi.coupons.verdict import Refusal
from lingxi.errors import Conflict, InvalidInput
from lingxi.schema import Event, Item, Line, Name

SHARED = {"kind": "shared", "text": "SPRING-24"}


def ask(
    till: Coupons,
    parts: dict[str, object],
    basket: Basket = BASKET,
    customer: int | None = 7,
    now: datetime = NOW,
) -> Verdict:
    """The verdict on a code of such an offer, issued to customer 7."""
    put(till, make_offer(**parts))
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW)
        return till.check(tx, code.text, basket, customer, now)


def why(verdict: Verdict) -> list[str]:
    assert verdict.valid == (not verdict.reasons)
    return [reason.code.removeprefix("coupons.refusal.") for reason in verdict.reasons]


@pytest.mark.parametrize(
    ("benefit", "goods", "shipping", "cost"),
    [
        ({"kind": "percent", "percent": 10}, 500, 0, 500),
        ({"kind": "percent", "percent": 12.5}, 625, 0, 625),
        ({"kind": "percent", "percent": 10, "at_most_cents": 300}, 300, 0, 300),
        ({"kind": "amount", "cents": 700}, 700, 0, 700),
        ({"kind": "amount", "cents": 9_000}, 5_000, 0, 5_000),
        ({"kind": "free_shipping"}, 0, 395, 395),
        ({"kind": "free_shipping", "at_most_cents": 100}, 0, 100, 100),
        ({"kind": "gift", "item_id": "PEN", "quantity": 2, "worth_cents": 40}, 0, 0, 80),
        ({"kind": "points", "points": 500, "worth_cents": 250}, 0, 0, 250),
    ],
)
def test_every_benefit_takes_off_what_it_says(
    till: Coupons, benefit: dict[str, object], goods: int, shipping: int, cost: int
) -> None:
    verdict = ask(till, {"benefit": benefit})
    assert verdict.valid
    assert (verdict.goods_cents, verdict.shipping_cents, verdict.cost_cents) == (
        goods,
        shipping,
        cost,
    )
    assert verdict.discount_cents == goods + shipping
    assert sum(verdict.lines) == goods
    assert (verdict.gift is not None) == (benefit["kind"] == "gift")
    assert verdict.points == benefit.get("points", 0)


@pytest.mark.parametrize(
    ("conditions", "lines"),
    [
        ({}, (200, 300)),
        ({"items": ["MUG"]}, (200, 0)),
        ({"categories": ["Lighting"]}, (0, 300)),
        ({"items": ["MUG"], "categories": ["Lighting"]}, (200, 300)),
        ({"without_items": ["MUG"]}, (0, 300)),
    ],
)
def test_only_the_goods_that_count_are_reduced(
    till: Coupons, conditions: dict[str, object], lines: tuple[int, ...]
) -> None:
    with till.store.write() as tx:
        put_items(
            till.store,
            tx,
            [Item(item_id="LAMP", category="Lamps", category_path=("Lighting", "Lamps"))],
            NOW,
        )
    assert ask(till, {"conditions": conditions}).lines == lines


@pytest.mark.parametrize(
    ("parts", "basket", "customer", "reasons"),
    [
        ({"conditions": {"minimum_cents": 5_000}}, BASKET, 7, []),
        ({"conditions": {"minimum_cents": 5_001}}, BASKET, 7, [Refusal.MINIMUM]),
        ({"conditions": {"items": ["RUG"]}}, BASKET, 7, [Refusal.NOTHING_COUNTS]),
        ({}, Basket(), 7, [Refusal.NOTHING_COUNTS]),
        ({}, Basket(BASKET.lines, currency="EUR"), 7, [Refusal.CURRENCY]),
        ({}, Basket(BASKET.lines, currency="GBP"), None, []),
        ({"personal": True}, BASKET, 7, []),
        ({"personal": True}, BASKET, 8, [Refusal.NOT_YOURS]),
        ({"personal": True}, BASKET, None, [Refusal.WHO]),
        ({}, BASKET, 8, []),
        ({"conditions": {"segment": "vips"}}, BASKET, 77, []),
        ({"conditions": {"segment": "vips"}}, BASKET, 7, [Refusal.SEGMENT]),
        ({"conditions": {"segment": "vips"}}, BASKET, None, [Refusal.WHO]),
        ({"conditions": {"first_order": True}}, BASKET, 7, []),
        ({"conditions": {"first_order": True}}, BASKET, 5, [Refusal.FIRST_ORDER]),
        ({"conditions": {"first_order": True}}, BASKET, None, [Refusal.WHO]),
        ({"limits": {"budget_cents": 499}}, BASKET, 7, [Refusal.BUDGET]),
        ({"limits": {"budget_cents": 500}}, BASKET, 7, []),
        (
            {"conditions": {"minimum_cents": 9_999, "segment": "vips"}},
            BASKET,
            7,
            [Refusal.SEGMENT, Refusal.MINIMUM],
        ),
    ],
)
def test_conditions_and_limits_are_kept(
    till: Coupons,
    parts: dict[str, object],
    basket: Basket,
    customer: int | None,
    reasons: list[Refusal],
) -> None:
    till.store.log.append([order_event(5, "before")])
    assert why(ask(till, parts, basket, customer)) == reasons


def order_event(customer: int, order_id: str, name: str = Name.ORDER_COMPLETED) -> Event:
    return Event(
        event_id=f"{name}-{order_id}",
        name=name,
        occurred_at=NOW,
        received_at=NOW,
        subject=customer,
        order_id=order_id,
        amount_cents=5_000,
        currency="GBP",
        lines=(Line("MUG", 1, 5_000, 5_000),),
    )


def test_a_code_counts_from_its_start_to_its_end_and_not_at_the_end(till: Coupons) -> None:
    validity = {"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-05T00:00:00Z"}
    parts: dict[str, object] = {"validity": validity}
    start, end = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    assert why(ask(till, parts, now=start - tick)) == [Refusal.NOT_YET]
    assert why(ask(till, parts, now=start)) == []
    assert why(ask(till, parts, now=end - tick)) == []
    assert why(ask(till, parts, now=end)) == [Refusal.EXPIRED]


def test_a_code_is_redeemed_once_and_the_same_key_gets_the_same_answer(till: Coupons) -> None:
    put(till, make_offer(limits={"per_customer": None}))
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW).text
        first = till.redeem(tx, code, BASKET, 7, order_id="o1", key="a", now=NOW)
        again = till.redeem(tx, code.lower(), BASKET, 7, order_id="o1", key="a", now=NOW)
        other = till.redeem(tx, code, BASKET, 7, order_id="o2", key="b", now=NOW)
        with pytest.raises(Conflict, match="another code or order"):
            till.redeem(tx, code, BASKET, 7, order_id="o2", key="a", now=NOW)
        with pytest.raises(Conflict, match="another code or order"):
            till.redeem(tx, "OTHER-CODE", BASKET, 7, order_id="o1", key="a", now=NOW)
        assert read_totals(tx, "spring").spent_cents == 500
        assert audit(tx) == []
    assert (first.redeemed, first.replayed, first.verdict.discount_cents) == (True, False, 500)
    assert (again.redemption, again.verdict, again.replayed) == (
        first.redemption,
        first.verdict,
        True,
    )
    assert (other.redeemed, why(other.verdict)) == (False, [Refusal.REDEEMED])
    (event,) = till.store.log.read(names=["Coupon Redeemed"])
    assert (event.subject, event.order_id, event.properties["cost_cents"]) == (7, "o1", 500)


def test_a_refusal_is_judged_anew_with_the_same_key(till: Coupons) -> None:
    put(till, make_offer(conditions={"minimum_cents": 4_000}))
    small = Basket(lines=(BasketLine("MUG", 1_000),))
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW).text
        assert not till.redeem(tx, code, small, 7, order_id="o", key="a", now=NOW).redeemed
        assert till.redeem(tx, code, BASKET, 7, order_id="o", key="a", now=NOW).redeemed


def test_what_a_cancelled_order_used_comes_back_and_may_be_used_again(till: Coupons) -> None:
    put(till, make_offer(limits={"budget_cents": 500}))
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW)
        till.see(tx, code.coupon, NOW)
        till.redeem(tx, code.text, BASKET, 7, order_id="o1", key="a", now=NOW)
        assert till.release(tx, "o1", NOW, code="OTHER-CODE") == 0
        assert till.release(tx, "o1", NOW) == 1
        assert till.release(tx, "o1", NOW) == 0
        assert read_totals(tx, "spring").spent_cents == 0
        with pytest.raises(Conflict, match="released"):
            till.redeem(tx, code.text, BASKET, 7, order_id="o1", key="a", now=NOW)
        assert till.redeem(tx, code.text, BASKET, 7, order_id="o2", key="b", now=NOW).redeemed
        assert audit(tx) == []
    (released,) = till.store.log.read(names=["Coupon Released"])
    assert (released.order_id, released.properties["state"]) == ("o1", "seen")


def test_what_comes_back_after_its_time_is_expired(till: Coupons) -> None:
    put(till, make_offer(validity={"days": 1}))
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW)
        till.redeem(tx, code.text, BASKET, 7, order_id="o1", key="a", now=NOW)
        till.release(tx, "o1", NOW + timedelta(days=5))
        assert read_totals(tx, "spring").coupons["expired"] == 1
        assert audit(tx) == []


def test_a_cancellation_in_the_log_releases_by_itself_once(till: Coupons) -> None:
    put(till, make_offer())
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW).text
        till.redeem(tx, code, BASKET, 7, order_id="o1", key="a", now=NOW)
    till.store.log.append([order_event(7, "o1"), order_event(7, "o1", Name.ORDER_CANCELLED)])
    assert run_once(till.store, till, NOW) == 1
    assert run_once(till.store, till, NOW) == 0
    with till.store.read() as tx:
        assert read_totals(tx, "spring").coupons["issued"] == 1
        assert till.check(tx, code, BASKET, 7, NOW).valid


def test_a_shared_code_is_everybodys_once_within_the_limits(till: Coupons) -> None:
    put(till, make_offer(code=SHARED, limits={"per_customer": 1, "redemptions": 3}))
    with till.store.write() as tx:
        answers = [
            till.redeem(tx, "spring 24", BASKET, who, order_id=f"o{at}", key=f"k{at}", now=NOW)
            for at, who in enumerate([1, 1, 2, None, 3])
        ]
        assert [each.redeemed for each in answers] == [True, False, True, True, False]
        assert why(answers[1].verdict) == [Refusal.PER_CUSTOMER]
        assert why(answers[4].verdict) == [Refusal.ALL_USED]
        assert till.release(tx, "o3", NOW) == 1  # nobody's: no one holds it now
        assert till.release(tx, "o0", NOW) == 1
        assert read_totals(tx, "spring").coupons == {"issued": 1, "redeemed": 1, "revoked": 1}
        assert till.redeem(tx, "SPRING24", BASKET, 1, order_id="o9", key="k9", now=NOW).redeemed
        assert read_totals(tx, "spring").issued == 3
        assert audit(tx) == []


def test_a_shared_code_may_be_for_those_only_who_were_given_it(till: Coupons) -> None:
    put(till, make_offer(code={**SHARED, "only_issued": True}))
    with till.store.write() as tx:
        assert till.issue(tx, "spring", 7, "k", NOW).text == "SPRING-24"
        assert till.check(tx, "SPRING-24", BASKET, 7, NOW).valid
        assert why(till.check(tx, "SPRING-24", BASKET, 8, NOW)) == [Refusal.UNKNOWN]
        assert why(till.check(tx, "SPRING-24", BASKET, None, NOW)) == [Refusal.UNKNOWN]


def test_a_shared_code_belongs_to_one_offer_and_its_old_text_to_its_holders(till: Coupons) -> None:
    put(till, make_offer(code=SHARED))
    with pytest.raises(Conflict, match="another offer"):
        put(till, make_offer("other", code={"kind": "shared", "text": "spring24"}))
    with till.store.write() as tx:
        till.issue(tx, "spring", 7, "k", NOW)
    put(till, make_offer(code={"kind": "shared", "text": "SUMMER"}))
    with till.store.read() as tx:
        assert till.check(tx, "SPRING-24", BASKET, 7, NOW).valid
        assert why(till.check(tx, "SPRING-24", BASKET, 8, NOW)) == [Refusal.UNKNOWN]
        assert till.check(tx, "SUMMER", BASKET, 8, NOW).valid


@pytest.mark.parametrize(
    ("one", "two", "allowed"),
    [((), (), False), (("other",), (), False), (("other",), ("*",), True), (("*",), ("*",), True)],
)
def test_two_codes_stack_only_where_both_allow_it(
    till: Coupons, one: tuple[str, ...], two: tuple[str, ...], allowed: bool
) -> None:
    put(till, make_offer("other", stacks_with=list(two)))
    put(till, make_offer(stacks_with=list(one)))
    with till.store.write() as tx:
        mine = till.issue(tx, "spring", 7, "k", NOW).text
        theirs = till.issue(tx, "other", 7, "k", NOW).text
        both = Basket(BASKET.lines, codes=(theirs, mine))
        assert why(till.check(tx, mine, both, 7, NOW)) == ([] if allowed else [Refusal.STACKING])


def test_a_redeemed_coupon_is_not_revoked_and_a_revoked_one_not_redeemed(till: Coupons) -> None:
    put(till, make_offer(limits={"per_customer": None}))
    with till.store.write() as tx:
        used, held = (till.issue(tx, "spring", 7, key, NOW) for key in "ab")
        till.redeem(tx, used.text, BASKET, 7, order_id="o", key="a", now=NOW)
        with pytest.raises(Conflict, match="release"):
            till.revoke(tx, used.coupon, NOW, actor="t")
        assert till.revoke(tx, till.find_number(tx, held.text), NOW, actor="t", note="lost")
        assert not till.revoke(tx, held.coupon, NOW, actor="t")
        refused = till.redeem(tx, held.text, BASKET, 7, order_id="p", key="b", now=NOW)
        assert why(refused.verdict) == [Refusal.REVOKED]
        assert audit(tx) == []


@pytest.mark.parametrize(
    ("order_id", "key"), [("", "k"), ("o", ""), ("o", "k" * 121), ("o\n", "k")]
)
def test_a_redemption_needs_an_order_and_a_key(till: Coupons, order_id: str, key: str) -> None:
    put(till, make_offer())
    with till.store.write() as tx, pytest.raises(InvalidInput):
        till.redeem(tx, "X-1-2", BASKET, 7, order_id=order_id, key=key, now=NOW)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=12), st.floats(0.01, 100))
def test_a_discount_is_spread_whole_and_never_beyond_a_line(
    amounts: list[int], percent: float
) -> None:
    off = min(percent_of(sum(amounts), percent), sum(amounts))
    parts = spread(off, amounts)
    assert sum(parts) == (off if sum(amounts) else 0)
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))
