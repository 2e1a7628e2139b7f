"""Coupons over the counter: issued to customers by their ids, checked and redeemed for a checkout.

Whoever tries codes is slowed down: codes that do not exist are counted for each visitor.
"""

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.access.audit import record_audit
from lingxi.access.limits import add_to_window, read_window
from lingxi.app.coupons.views import CouponView, RedemptionView, ReleasedView, VerdictView
from lingxi.coupons import Basket, Code, Verdict
from lingxi.coupons.codes import check_code
from lingxi.coupons.redeeming import NEWCOMER
from lingxi.coupons.verdict import Refusal
from lingxi.errors import RateLimited
from lingxi.i18n import Translator
from lingxi.ingest import customer_ids, find_customer
from lingxi.ingest.identity import CUSTOMER, resolve_subjects, seek_customer
from lingxi.ingest.phones import is_phone
from lingxi.ingest.puts import tidy_id

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

WINDOW = timedelta(minutes=10)
MOST_WRONG = 10
"""Codes that do not exist which one visitor may try in ten minutes."""
MOST_WRONG_TOGETHER = 1_000
"""The same for all visitors of one key together, and where none are told apart."""


class Counter:
    """Issues, checks and redeems for one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def issue(self, offer: str, customer_id: str | None, key: str, *, actor: str) -> CouponView:
        """A coupon for a customer, the same one for the same key, with its code."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            customer = self._find(tx, customer_id)
            code = self._shop.coupons.issue(tx, offer, customer, key, now)
            if code.new:
                record_audit(tx, now, actor=actor, action="issue_coupon", target=str(code.coupon))
            return self._to_view(tx, code, code.text)

    def describe(self, coupon_id: int) -> CouponView:
        """One coupon, without its code.

        Raises
        ------
        UnknownCoupon
            If there is none of this number, or nobody has it yet.
        """
        with self._shop.store.read() as tx:
            return self._to_view(tx, self._shop.coupons.read(tx, coupon_id), None)

    def see(self, coupon_id: int) -> CouponView:
        """Note that its holder has seen a coupon."""
        with self._shop.store.write() as tx:
            self._shop.coupons.see(tx, coupon_id, self._shop.clock.now())
        return self.describe(coupon_id)

    def check(
        self,
        code: str,
        basket: Basket,
        customer_id: str | None,
        *,
        caller: str,
        visitor: str = "",
        language: str = "en",
    ) -> VerdictView:
        """Whether a code may be used on a basket. A code that was typed was seen.

        Raises
        ------
        RateLimited
            After too many codes that do not exist.
        InvalidInput
            If it can be no code.
        """
        now = self._shop.clock.now()
        text = check_code(code)
        with self._shop.store.read() as tx:
            self._slow_down(tx, caller, visitor, now)
            customer = self._seek(tx, customer_id)
            verdict = self._shop.coupons.check(tx, text, basket, customer, now)
        self._note(verdict, caller, visitor, now)
        if verdict.valid and verdict.coupon is not None:
            self._see(verdict.coupon, now)
        return to_view(verdict, language)

    def redeem(
        self,
        code: str,
        basket: Basket,
        customer_id: str | None,
        *,
        order_id: str,
        key: str,
        caller: str,
        visitor: str = "",
        language: str = "en",
    ) -> RedemptionView:
        """Use a code on an order, once.

        Raises
        ------
        RateLimited
            After too many codes that do not exist.
        Conflict
            If the key was used for something else.
        InvalidInput
            If it can be no code, or key or order cannot be used.
        """
        now = self._shop.clock.now()
        text = check_code(code)
        with self._shop.store.write(eager=True) as tx:
            self._slow_down(tx, caller, visitor, now)
            customer = self._enter(tx, customer_id)
            done = self._shop.coupons.redeem(
                tx, text, basket, customer, order_id=order_id, key=key, now=now
            )
        self._note(done.verdict, caller, visitor, now)
        return RedemptionView(
            redeemed=done.redeemed,
            replayed=done.replayed,
            redemption=done.redemption,
            order_id=order_id,
            verdict=to_view(done.verdict, language),
        )

    def release(self, order_id: str, *, code: str = "", actor: str) -> ReleasedView:
        """Give back what an order redeemed, all of it or one code."""
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            done = self._shop.coupons.release(tx, order_id, now, code=code, actor=actor)
        return ReleasedView(order_id, done)

    def revoke(self, coupon_id: int, *, actor: str, note: str = "") -> CouponView:
        """Make a coupon worthless.

        Raises
        ------
        UnknownCoupon
            If there is none of this number.
        Conflict
            If it was redeemed.
        """
        now = self._shop.clock.now()
        with self._shop.store.write() as tx:
            if self._shop.coupons.revoke(tx, coupon_id, now, actor=actor, note=note):
                record_audit(tx, now, actor=actor, action="revoke_coupon", target=str(coupon_id))
            return self._to_view(tx, self._shop.coupons.read(tx, coupon_id), None)

    def find_number(self, code_or_number: str) -> int:
        """The number of a coupon, given as it is or by the code of its own."""
        if code_or_number.isdecimal() and len(code_or_number) < 10:
            return int(code_or_number)
        with self._shop.store.read() as tx:
            return self._shop.coupons.find_number(tx, code_or_number)

    def _find(self, tx: sa.Connection, customer_id: str | None) -> int | None:
        if not customer_id:
            return None
        return find_customer(tx, customer_id, store=self._shop.store)

    def _seek(self, tx: sa.Connection, customer_id: str | None) -> int | None:
        """Whom the checkout names; a first purchase is made by somebody nobody has heard of."""
        if not customer_id:
            return None
        found = seek_customer(tx, customer_id, store=self._shop.store)
        return NEWCOMER if found is None else found

    def _enter(self, tx: sa.Connection, customer_id: str | None) -> int | None:
        """As ``_seek``, and whoever is new is a customer from now on, unless the shop names them by
        an address, which is kept nowhere in the clear."""
        customer = self._seek(tx, customer_id)
        wanted = tidy_id(customer_id or "")
        if customer != NEWCOMER or wanted is None or "@" in wanted or is_phone(wanted):
            return customer
        seals = {wanted: self._shop.store.keyring.blind(wanted)}
        return resolve_subjects(tx, CUSTOMER, [wanted], known=True, seals=seals)[wanted]

    def _see(self, coupon_id: int, now: datetime) -> None:
        with self._shop.store.read() as tx:
            if self._shop.coupons.read(tx, coupon_id).state != "issued":
                return
        with self._shop.store.write() as tx:
            self._shop.coupons.see(tx, coupon_id, now)

    def _slow_down(self, tx: sa.Connection, caller: str, visitor: str, now: datetime) -> None:
        for bucket, most in _buckets(caller, visitor):
            window = read_window(tx, bucket, now, WINDOW)
            if window.count >= most:
                seconds = window.retry_after_seconds(now)
                raise RateLimited(
                    f"Too many codes that do not exist. Try again in {seconds} seconds.",
                    retry_after_seconds=seconds,
                )

    def _note(self, verdict: Verdict, caller: str, visitor: str, now: datetime) -> None:
        unknown = f"coupons.refusal.{Refusal.UNKNOWN}"
        if any(reason.code == unknown for reason in verdict.reasons):
            with self._shop.store.write() as tx:
                for bucket, _ in _buckets(caller, visitor):
                    add_to_window(tx, bucket, now, WINDOW)

    def _to_view(self, tx: sa.Connection, code: Code, text: str | None) -> CouponView:
        names = {} if code.customer is None else customer_ids(tx, [code.customer])
        return CouponView(
            coupon=code.coupon,
            offer=code.offer,
            customer_id=None if code.customer is None else names.get(code.customer),
            state=code.state,
            issued_at=code.issued_at,
            starts_at=code.starts_at,
            expires_at=code.expires_at,
            code=text,
            new=code.new,
        )


def to_view(verdict: Verdict, language: str) -> VerdictView:
    """A verdict for a checkout, with its reasons in words of the language too."""
    words = Translator(language)
    return VerdictView(
        valid=verdict.valid,
        reasons=verdict.reasons,
        words=tuple(words.text(reason) for reason in verdict.reasons),
        offer=verdict.offer,
        coupon=verdict.coupon,
        discount_cents=verdict.discount_cents,
        goods_cents=verdict.goods_cents,
        shipping_cents=verdict.shipping_cents,
        lines=verdict.lines,
        gift_item_id=None if verdict.gift is None else verdict.gift.item_id,
        gift_quantity=0 if verdict.gift is None else verdict.gift.quantity,
        points=verdict.points,
        currency=verdict.currency,
        expires_at=verdict.expires_at,
    )


def _buckets(caller: str, visitor: str) -> list[tuple[str, int]]:
    """Where wrong codes are counted, and how many may be: the caller's own, and the visitor's."""
    found = [(f"codes:{caller}"[:160], MOST_WRONG_TOGETHER)]
    if visitor:
        name = blake2b(f"{caller}\0{visitor}".encode(), digest_size=12).hexdigest()
        found.append((f"codes:visitor:{name}", MOST_WRONG))
    return found
