"""Codes that a shop platform's own checkout took: redeemed once, others counted."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from coupon_shop import BASKET, NOW, make_offer, put

from lingxi.coupons import Coupons, jobs
from lingxi.coupons.following import KEEP, count_strays, drop_old_strays, read_order_codes
from lingxi.coupons.jobs import run_once
from lingxi.coupons.ledger import Account, audit, list_entries, read_totals
from lingxi.ingest.tables import order_state
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.tables import identity

SHOPIFY = frozenset({"shopify"})


@pytest.fixture
def store(store: Store) -> Store:
    with store.write() as tx:
        tx.execute(sa.insert(identity).values(subject=7, customer=7, known=True))
    return store


def tell(
    till: Coupons, name: Name, order_id: str, event_id: str, source: str = "shopify", **said: Any
) -> int:
    event = Event(
        event_id=event_id,
        name=name.value,
        occurred_at=NOW,
        received_at=NOW,
        subject=7,
        order_id=order_id,
        amount_cents=5_000,
        properties=said,
        source=source,
    )
    till.store.log.append([event])
    return run_once(till.store, till, NOW, checkouts=SHOPIFY)


def issue(till: Coupons, **parts: object) -> str:
    put(till, make_offer(**parts))
    with till.store.write() as tx:
        return till.issue(tx, "spring", 7, "k", NOW).text


def strays(till: Coupons) -> tuple[int, int]:
    with till.store.read() as tx:
        held = count_strays(tx, NOW)
        assert audit(tx) == []
    return held["unknown"], held["spent"]


def test_an_order_redeems_its_code_once_at_what_it_took_off(till: Coupons) -> None:
    code = issue(till)
    said = {"coupon": code.lower().replace("-", ""), "coupon_discount": 5.0}
    assert tell(till, Name.ORDER_COMPLETED, "A", "e1", **said) == 1
    assert tell(till, Name.ORDER_UPDATED, "A", "e2", **said) == 0
    with till.store.read() as tx:
        totals = read_totals(tx, "spring")
        assert (totals.coupons["redeemed"], totals.spent_cents) == (1, 500)
        assert not till.check(tx, code, BASKET, 7, NOW).valid
    assert strays(till) == (0, 0)
    (event,) = till.store.log.read(names=["Coupon Redeemed"])
    assert (event.subject, event.order_id, event.properties["cost_cents"]) == (7, "A", 500)
    assert tell(till, Name.ORDER_COMPLETED, "B", "e3", **said) == 0  # somebody used it again
    assert strays(till) == (0, 1)


def test_what_our_own_checkout_redeemed_is_not_redeemed_again(till: Coupons) -> None:
    code = issue(till)
    with till.store.write() as tx:
        till.redeem(tx, code, BASKET, 7, order_id="A", key="A", now=NOW)
    assert tell(till, Name.ORDER_COMPLETED, "A", "e1", coupon=code) == 0
    assert strays(till) == (0, 0)


def test_a_look_goes_through_so_many_positions_and_the_next_goes_on(
    till: Coupons, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_REACH", 2)
    monkeypatch.setattr(jobs, "_SKIP", 1)
    code = issue(till)
    said = {"coupon": code, "coupon_discount": 5.0}
    for number in range(5):
        event = Event(event_id=f"v{number}", name="Seen", occurred_at=NOW, received_at=NOW)
        till.store.log.append([event])
    assert tell(till, Name.ORDER_COMPLETED, "A", "e1", **said) == 1  # not there yet: look again
    while till.store.log.cursor(jobs.CONSUMER) < till.store.log.position():
        assert run_once(till.store, till, NOW, checkouts=SHOPIFY) in (0, 1)
    with till.store.read() as tx:
        assert read_totals(tx, "spring").coupons["redeemed"] == 1


def test_only_signed_sources_redeem(till: Coupons) -> None:
    code = issue(till)
    assert tell(till, Name.ORDER_COMPLETED, "A", "e1", source="web", coupon=code) == 0
    with till.store.read() as tx:
        assert read_totals(tx, "spring").count(Account.ISSUED) == 1


def test_codes_of_others_are_counted_once_for_each_order(till: Coupons) -> None:
    issue(till)
    for event_id, order_id in (("e1", "A"), ("e2", "A"), ("e3", "B")):
        name = Name.ORDER_UPDATED if event_id == "e2" else Name.ORDER_COMPLETED
        tell(till, name, order_id, event_id, coupon="BLACKFRIDAY")
    assert strays(till) == (2, 0)
    with till.store.write() as tx:
        assert count_strays(tx, NOW + KEEP)["unknown"] == 0
        drop_old_strays(tx, NOW + KEEP)
    assert strays(till) == (0, 0)


def test_a_cancellation_and_a_whole_refund_release_a_part_does_not(till: Coupons) -> None:
    code = issue(till)
    said = {"coupon": code, "coupon_discount": 5.0}
    tell(till, Name.ORDER_COMPLETED, "A", "e1", **said)
    state = {"order_id": "A", "told_at": NOW, "tellings": 1, "goods_cents": 5_000, "lines": "{}"}
    with till.store.write() as tx:
        tx.execute(sa.insert(order_state).values(refunded_cents=4_999, **state))
    assert tell(till, Name.ORDER_REFUNDED, "A", "e2") == 0
    with till.store.write() as tx:
        tx.execute(sa.update(order_state).values(refunded_cents=5_000))
    assert tell(till, Name.ORDER_REFUNDED, "A", "e3") == 1
    assert tell(till, Name.ORDER_UPDATED, "A", "e4", **said) == 0  # late news of an order gone
    with till.store.read() as tx:
        assert read_totals(tx, "spring").spent_cents == 0
        assert till.check(tx, code, BASKET, 7, NOW).valid
        assert list_entries(tx)[0].actor == "order refunded"
    assert tell(till, Name.ORDER_COMPLETED, "B", "e5", **said) == 1
    assert tell(till, Name.ORDER_CANCELLED, "B", "e6") == 1
    assert strays(till) == (0, 0)


@pytest.mark.parametrize(("redeemed", "gone"), [("#1001", "5001"), ("5001", "#1001")])
def test_an_order_of_two_numbers_is_one(till: Coupons, redeemed: str, gone: str) -> None:
    """The log has an order under the name of a file or the id of its webhooks."""
    code = issue(till)
    said = {"coupon": code, "coupon_discount": 5.0}
    state = {"order_id": "5001", "name": "#1001", "told_at": NOW, "tellings": 1, "lines": "{}"}
    with till.store.write() as tx:
        row = sa.insert(order_state).values(goods_cents=5_000, refunded_cents=0, **state)
        tx.execute(row)
    assert tell(till, Name.ORDER_COMPLETED, redeemed, "e1", **said) == 1
    assert tell(till, Name.ORDER_UPDATED, gone, "e2", **said) == 0
    with till.store.write() as tx:
        tx.execute(sa.update(order_state).values(refunded_cents=5_000))
    assert tell(till, Name.ORDER_REFUNDED, gone, "e3") == 1
    assert tell(till, Name.ORDER_COMPLETED, redeemed, "e4", **said) == 0
    assert strays(till) == (0, 0)


def test_news_that_comes_after_the_end_counts_when_the_order_was_in_time(till: Coupons) -> None:
    code = issue(till, validity={"days": 1})
    later = NOW + timedelta(days=5)
    with till.store.write() as tx:
        assert till.expire(tx, later) == 1
    assert tell(till, Name.ORDER_COMPLETED, "A", "e1", coupon=code, coupon_discount=5) == 1
    with till.store.read() as tx:
        assert read_totals(tx, "spring").coupons["expired"] == 0
    assert strays(till) == (0, 0)


def test_a_shared_code_is_redeemed_for_each_order_until_its_limit(till: Coupons) -> None:
    put(till, make_offer(code={"kind": "shared", "text": "HELLO"}, limits={"redemptions": 1}))
    assert tell(till, Name.ORDER_COMPLETED, "A", "e1", coupon="hello", coupon_discount=1) == 1
    assert tell(till, Name.ORDER_COMPLETED, "B", "e2", coupon="hello", coupon_discount=1) == 0
    assert strays(till) == (0, 1)


def test_codes_and_their_amounts_are_read_in_the_shops_money() -> None:
    said = {
        "coupon": "ONE",
        "coupon_discount": 5.0,
        "coupon_2": " TWO ",
        "coupon_3": "x" * 65,
        "original_currency": "EUR",
        "original_total_cents": 2_000,
    }
    event = Event(
        event_id="e",
        name="Order Completed",
        occurred_at=NOW,
        received_at=NOW,
        amount_cents=1_500,
        cost_cents=100,
        properties=said,
    )
    assert list(read_order_codes(event, "GBP")) == [("ONE", 400), ("TWO", 0)]
