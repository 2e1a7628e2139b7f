"""Coupons are given out once for each key, and nothing gives their codes away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from coupon_shop import BASKET, NOW, make_offer, put
from sqlalchemy.dialects import sqlite

from lingxi.coupons import Coupons, find_valid, rows
from lingxi.coupons.codes import ALPHABET, normalise
from lingxi.coupons.ledger import audit, list_entries, read_totals
from lingxi.coupons.pool import list_low_pools, read_codes
from lingxi.coupons.tables import coupon
from lingxi.errors import Conflict, OfferClosed, UnknownCoupon, UnknownOffer
from lingxi.store import Store

POOL = {"kind": "pool", "low_at": 2}


def test_the_same_key_always_gives_the_same_coupon(till: Coupons) -> None:
    put(till, make_offer())
    with till.store.write() as tx:
        first = till.issue(tx, "spring", 7, "run-1", NOW)
        again = till.issue(tx, "spring", 7, "run-1", NOW + timedelta(days=1))
        other = till.issue(tx, "spring", 7, "run-2", NOW)
    assert (first.new, again.new, other.new) == (True, False, True)
    assert (again.coupon, again.text, again.issued_at) == (first.coupon, first.text, NOW)
    assert other.text != first.text
    with till.store.read() as tx:
        assert till.read(tx, first.coupon).text == first.text
        assert read_totals(tx, "spring").issued == 2
        assert audit(tx) == []
    issued = till.store.log.read(names=["Coupon Issued"])
    assert [(e.subject, e.properties["coupon"]) for e in issued] == [
        (7, first.coupon),
        (7, other.coupon),
    ]


def test_codes_are_long_random_and_of_signs_that_nobody_confuses(till: Coupons) -> None:
    put(till, make_offer(code={"kind": "unique", "prefix": "VIP", "length": 14}))
    with till.store.write() as tx:
        texts = [till.issue(tx, "spring", 1, f"k{at}", NOW).text for at in range(60)]
    bodies = {normalise(text).removeprefix("VIP") for text in texts}
    assert len(bodies) == 60
    assert {len(body) for body in bodies} == {14}
    assert set("".join(bodies)) == set(ALPHABET)
    assert not set("01IO") & set(ALPHABET)


def test_no_code_lies_in_the_database_the_log_or_a_printed_coupon(
    till: Coupons, store: Store, tmp_path: Path
) -> None:
    put(till, make_offer(code=POOL))
    with store.write() as tx:
        till.import_codes(tx, "spring", ["SECRET-POOL-1", "SECRET-POOL-2"], NOW, actor="t")
        pooled = till.issue(tx, "spring", 7, "a", NOW)
    put(till, make_offer("unique"))
    with store.write() as tx:
        made = till.issue(tx, "unique", 7, "b", NOW)
        for code, order in ((pooled.text, "1"), (made.text, "2")):
            assert till.redeem(tx, code, BASKET, 7, order_id=order, key=order, now=NOW).redeemed
    store.close()
    for path in tmp_path.rglob("*.sqlite*"):
        body = path.read_bytes()
        for text in (pooled.text, "SECRET-POOL", made.text, normalise(made.text)):
            assert text.encode() not in body, path
    assert made.text not in repr(made) + str(made)


def test_a_pool_gives_each_code_once_tells_when_it_is_low_and_ends(till: Coupons) -> None:
    put(till, make_offer(code=POOL))
    with till.store.write() as tx:
        done = till.import_codes(
            tx, "spring", ["AAAA-1", " aaaa1 ", "BBBB-2", "?", "CCCC-3"], NOW, actor="t"
        )
        assert (done.new, done.known, done.refused) == (3, 1, 1)
        assert list_low_pools(tx) == []
        texts = {till.issue(tx, "spring", at, f"k{at}", NOW).text for at in range(3)}
        assert texts == {"AAAA-1", "BBBB-2", "CCCC-3"}
        assert [(low.offer, low.free) for low in list_low_pools(tx)] == [("spring", 0)]
        with pytest.raises(OfferClosed, match="empty"):
            till.issue(tx, "spring", 9, "k9", NOW)
        again = till.import_codes(tx, "spring", ["BBBB2", "DDDD-4"], NOW, actor="t")
        assert (again.new, again.known) == (1, 1)
        assert audit(tx) == []


def test_codes_of_a_pool_count_only_once_they_are_issued(till: Coupons) -> None:
    put(till, make_offer(code=POOL))
    with till.store.write() as tx:
        till.import_codes(tx, "spring", ["AAAA-1"], NOW, actor="t")
        assert not till.check(tx, "AAAA-1", BASKET, 7, NOW).valid
        till.issue(tx, "spring", 7, "k", NOW)
        assert till.check(tx, "aaaa 1", BASKET, 7, NOW).valid


def test_csv_files_of_other_tools_are_read() -> None:
    assert read_codes("﻿优惠码;金额\nA-1;5\nB-2;5\n") == ["A-1", "B-2"]
    assert read_codes("") == []
    assert read_codes('"A-1"\n\n"B-2"\n') == ["A-1", "B-2"]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"paused": True}, "paused"),
        ({"validity": {"ends_at": "2026-03-01T12:00:00Z"}}, "ended"),
        ({"limits": {"issued": 1}}, "issued"),
        ({"limits": {"redemptions": 1}}, "1 times"),
        ({"limits": {"budget_cents": 500}}, "budget"),
    ],
)
def test_what_could_never_be_redeemed_is_not_issued(
    till: Coupons, parts: dict[str, object], words: str
) -> None:
    put(till, make_offer())
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 1, "first", NOW)
        till.redeem(tx, code.text, BASKET, 1, order_id="o", key="o", now=NOW)
    put(till, make_offer(**parts))
    with till.store.write() as tx:
        with pytest.raises(OfferClosed, match=words):
            till.issue(tx, "spring", 2, "second", NOW)
        assert till.issue(tx, "spring", 1, "first", NOW).coupon == code.coupon


def test_days_of_validity_end_at_the_shops_midnight(till: Coupons) -> None:
    """London puts its clocks forward on 29 March 2026: the last of the 30 days is in summer."""
    ends = {"days": 30, "ends_at": "2026-06-01T00:00:00Z"}
    put(till, make_offer(validity=ends))
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW)
        late = till.issue(tx, "spring", 7, "late", datetime(2026, 5, 30, tzinfo=UTC))
    assert code.expires_at == datetime(2026, 3, 31, 23, tzinfo=UTC)
    assert late.expires_at == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_coupon_is_valid_for_sending_only_while_it_can_be_redeemed(till: Coupons) -> None:
    put(till, make_offer(validity={"days": 1}))
    put(till, make_offer("lasting"))
    with till.store.write() as tx:
        one, two, three = (till.issue(tx, "spring", 7, key, NOW).coupon for key in "abc")
        other = till.issue(tx, "lasting", 7, "d", NOW).coupon
        all_of_them = {one, two, three, other, 999}
        till.revoke(tx, two, NOW, actor="t")
        assert find_valid(tx, all_of_them, NOW) == {one, three, other}
        assert find_valid(tx, all_of_them, NOW + timedelta(days=3)) == {other}
        code = till.read(tx, other).text
        till.redeem(tx, code, BASKET, 7, order_id="o", key="o", now=NOW)
        assert find_valid(tx, all_of_them, NOW) == {one, three}
        assert find_valid(tx, (), NOW) == set()
    put(till, make_offer(paused=True))
    with till.store.read() as tx:
        assert find_valid(tx, all_of_them, NOW) == set()


def test_coupons_expire_once_and_the_job_ends(till: Coupons) -> None:
    put(till, make_offer(validity={"days": 1}))
    late = NOW + timedelta(days=3)
    with till.store.write() as tx:
        codes = [till.issue(tx, "spring", at, f"k{at}", NOW) for at in range(3)]
        till.see(tx, codes[0].coupon, NOW)
        assert not till.see(tx, codes[0].coupon, NOW)
        assert till.expire(tx, NOW) == 0
        assert till.expire(tx, late, limit=2) == 2
        assert till.expire(tx, late, limit=2) == 1
        assert till.expire(tx, late) == 0
        assert audit(tx) == []
        rows = list_entries(tx, coupon_id=codes[0].coupon)
    assert [(row.source, row.target) for row in rows] == [
        ("seen", "expired"),
        ("issued", "seen"),
        ("nowhere", "issued"),
    ]
    expired = till.store.log.read(names=["Coupon Expired"])
    assert {event.occurred_at for event in expired} == {codes[0].expires_at}


def test_what_is_not_there_says_so(till: Coupons) -> None:
    put(till, make_offer())
    with till.store.write() as tx:
        with pytest.raises(UnknownOffer, match="'spring'"):
            till.issue(tx, "sprin", 7, "k", NOW)
        with pytest.raises(UnknownCoupon):
            till.read(tx, 5)
        with pytest.raises(UnknownCoupon):
            till.revoke(tx, 5, NOW, actor="t")
        with pytest.raises(UnknownCoupon):
            till.find_number(tx, "NONE-SUCH")
        with pytest.raises(Conflict, match="pool"):
            till.import_codes(tx, "spring", ["A-1"], NOW, actor="t")


def test_a_coupon_keeps_the_terms_under_which_it_was_issued(till: Coupons) -> None:
    put(till, make_offer())
    with till.store.write() as tx:
        code = till.issue(tx, "spring", 7, "k", NOW)
    put(till, make_offer(benefit={"kind": "percent", "percent": 50}))
    with till.store.write() as tx:
        newer = till.issue(tx, "spring", 7, "new", NOW)
        assert till.check(tx, code.text, BASKET, 7, NOW).discount_cents == 500
        assert till.check(tx, newer.text, BASKET, 7, NOW).discount_cents == 2_500


def test_forgetting_keeps_amounts_and_codes_without_the_person(till: Coupons) -> None:
    from lingxi.coupons import forget

    put(till, make_offer(limits={"per_customer": None}))
    with till.store.write() as tx:
        used, held = (till.issue(tx, "spring", 7, key, NOW) for key in "ab")
        other = till.issue(tx, "spring", 8, "c", NOW)
        till.redeem(tx, used.text, BASKET, 7, order_id="secret-order", key="k", now=NOW)
        assert forget(tx, frozenset({7})) == 2 + 3 + 1
        assert forget(tx, frozenset({7})) == 0
        assert audit(tx) == []
        assert {row.customer for row in list_entries(tx)} == {None, 8}
        assert {row.order_id for row in list_entries(tx)} == {None}
        owners = dict(tx.execute(sa.select(coupon.c.coupon, coupon.c.customer)).all())
        assert owners == {used.coupon: None, held.coupon: None, other.coupon: 8}
        assert till.check(tx, held.text, BASKET, None, NOW).valid


def test_whose_a_shared_code_is_is_found_among_the_customers_own(till: Coupons) -> None:
    """SQLite would rather look through all coupons of the offer that are out."""
    query = rows._HELD._query.compile(dialect=sqlite.dialect())
    with till.store.read() as tx:
        plan = tx.exec_driver_sql(
            f"explain query plan {query}", (1,) * len(query.positiontup or ())
        )
        assert "ix_coupon_customer_offer" in str(plan.all())
