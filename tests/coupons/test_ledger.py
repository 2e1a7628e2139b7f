"""The ledger balances whatever happens, and agrees with a model that is a dictionary."""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from coupon_shop import BASKET, NOW, is_member, make_offer, open_store, put
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lingxi.config import Settings, ShopSettings
from lingxi.coupons import Coupons
from lingxi.coupons.ledger import audit, list_entries, read_totals
from lingxi.coupons.tables import coupon, coupon_total
from lingxi.errors import OfferClosed, UserError
from lingxi.store import Store

BUDGET = 2_600  # five redemptions of 500 and a little


class LedgerMachine(RuleBasedStateMachine):
    """Everything that may happen to the coupons of three offers, beside a dictionary of states."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        shop = ShopSettings(currency="GBP", timezone="Europe/London")
        self.store: Store = open_store(Settings(folder=Path(self.folder.name), shop=shop))
        self.till = Coupons(self.store, is_member)
        self.now = NOW
        self.held: dict[int, str] = {}
        self.texts: dict[int, str] = {}
        self.offers: dict[int, str] = {}
        self.ends: dict[int, object] = {}
        self.orders: dict[str, int] = {}
        self.serial = 0

    @initialize()
    def make_offers(self) -> None:
        limits = {"budget_cents": BUDGET, "per_customer": None}
        put(self.till, make_offer("unique", limits=limits, validity={"days": 3}))
        pool = {"kind": "pool", "low_at": 1}
        put(self.till, make_offer("pool", limits=limits, code=pool))
        shared = {"kind": "shared", "text": "SHARED-1"}
        put(self.till, make_offer("shared", limits=limits, code=shared))
        with self.store.write() as tx:
            codes = [f"POOL-{at}" for at in range(4)]
            self.till.import_codes(tx, "pool", codes, self.now, actor="t")

    @rule(offer=st.sampled_from(["unique", "pool", "shared"]), customer=st.integers(1, 3))
    def issue(self, offer: str, customer: int) -> None:
        self.serial += 1
        with self.store.write() as tx:
            try:
                code = self.till.issue(tx, offer, customer, f"k{self.serial}", self.now)
            except OfferClosed:
                spent = read_totals(tx, offer).spent_cents
                assert spent >= BUDGET or offer == "pool"
                return
        self.held[code.coupon] = "issued"
        self.texts[code.coupon] = code.text
        self.offers[code.coupon] = offer
        self.ends[code.coupon] = code.expires_at

    @rule(pick=st.integers(0, 50))
    def see(self, pick: int) -> None:
        if not self.held:
            return
        number = sorted(self.held)[pick % len(self.held)]
        with self.store.write() as tx:
            assert self.till.see(tx, number, self.now) == (self.held[number] == "issued")
        if self.held[number] == "issued":
            self.held[number] = "seen"

    @rule(pick=st.integers(0, 50), customer=st.sampled_from([None, 1, 2, 3]))
    def redeem(self, pick: int, customer: int | None) -> None:
        own = sorted(n for n in self.held if self.offers[n] != "shared")
        self.serial += 1
        number = own[pick % len(own)] if own and pick % 3 else None
        text = "shared 1" if number is None else self.texts[number]
        offer = "shared" if number is None else self.offers[number]
        order = f"o{self.serial}"
        with self.store.write() as tx:
            fits = read_totals(tx, offer).spent_cents + 500 <= BUDGET
            done = self.till.redeem(
                tx, text, BASKET, customer, order_id=order, key=order, now=self.now
            )
        if number is None:
            assert done.redeemed == fits
        else:
            ends = self.ends[number]
            alive = self.held[number] in ("issued", "seen") and (ends is None or ends > self.now)
            assert done.redeemed == (alive and fits)
        if done.redeemed:
            assert done.verdict.coupon is not None
            self.orders[order] = done.verdict.coupon
            self.offers[done.verdict.coupon] = offer
            self.held[done.verdict.coupon] = "redeemed"
            self.ends.setdefault(done.verdict.coupon, None)
            self.texts.setdefault(done.verdict.coupon, text)

    @rule(pick=st.integers(0, 50))
    def release(self, pick: int) -> None:
        if not self.orders:
            return
        order = sorted(self.orders)[pick % len(self.orders)]
        number = self.orders.pop(order)
        with self.store.write() as tx:
            assert self.till.release(tx, order, self.now) == 1
            state = tx.execute(sa.select(coupon.c.state).where(coupon.c.coupon == number)).scalar()
        assert state in ("issued", "seen", "expired", "revoked")
        self.held[number] = state

    @rule(pick=st.integers(0, 50))
    def revoke(self, pick: int) -> None:
        if not self.held:
            return
        number = sorted(self.held)[pick % len(self.held)]
        with self.store.write() as tx:
            try:
                done = self.till.revoke(tx, number, self.now, actor="t")
            except UserError:
                assert self.held[number] == "redeemed"
                return
        assert done == (self.held[number] in ("issued", "seen"))
        if done:
            self.held[number] = "revoked"

    @rule(days=st.integers(1, 3))
    def pass_time(self, days: int) -> None:
        self.now += timedelta(days=days)
        with self.store.write() as tx:
            n = self.till.expire(tx, self.now)
        due = [
            number
            for number, state in self.held.items()
            if state in ("issued", "seen")
            and self.ends[number] is not None
            and self.ends[number] <= self.now
        ]
        assert n == len(due)
        for number in due:
            self.held[number] = "expired"

    @invariant()
    def the_ledger_balances_and_agrees_with_the_model(self) -> None:
        with self.store.read() as tx:
            assert audit(tx) == []
            rows = tx.execute(
                sa.select(coupon.c.coupon, coupon.c.state).where(coupon.c.state != "free")
            )
            assert {row.coupon: row.state for row in rows} == self.held
            assert all(
                row.coupons >= 0 and row.cents >= 0 for row in tx.execute(sa.select(coupon_total))
            )
            spent = sum(read_totals(tx, name).spent_cents for name in ("unique", "pool", "shared"))
            assert spent == 500 * len(self.orders)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (sa.update(coupon).values(state="revoked"), "account issued holds 1 by its entries, 0"),
        (sa.update(coupon_total).values(coupons=7), "holds 1 by its entries, 7 by its total"),
        (sa.update(coupon_total).values(cents=7), "7 by the total"),
    ],
)
def test_an_audit_finds_what_was_changed_past_the_ledger(
    till: Coupons, statement: sa.Update, words: str
) -> None:
    put(till, make_offer())
    with till.store.write() as tx:
        till.issue(tx, "spring", 7, "k", NOW)
        assert audit(tx) == []
        tx.execute(statement)
        assert any(words in line for line in audit(tx))


def test_the_ledger_is_read_a_page_at_a_time(till: Coupons) -> None:
    put(till, make_offer())
    put(till, make_offer("other"))
    with till.store.write() as tx:
        for at in range(5):
            till.issue(tx, "spring", 7, f"k{at}", NOW)
            till.issue(tx, "other", 7, f"k{at}", NOW)
        first = list_entries(tx, offer="spring", n=3)
        second = list_entries(tx, offer="spring", before=first[-1].entry, n=3)
    assert [row.coupon for row in (*first, *second)] == [9, 7, 5, 3, 1]
