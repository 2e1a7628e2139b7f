"""Coupons at work: issue, see, check, redeem, release, revoke, expire, each in the caller's
transaction, each in ledger and log."""

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from lingxi.coupons import redeeming
from lingxi.coupons.basket import Basket
from lingxi.coupons.book import Kept, put_offer
from lingxi.coupons.closing import expire_due, revoke_one, see_one
from lingxi.coupons.following import follow_order
from lingxi.coupons.issuing import Code, issue_one, read_code
from lingxi.coupons.offer import Offer
from lingxi.coupons.pool import Imported, import_codes
from lingxi.coupons.redeeming import Redemption
from lingxi.coupons.releasing import release_order
from lingxi.coupons.rows import find_by_code, get_coupon
from lingxi.coupons.vault import Vault
from lingxi.coupons.verdict import Verdict
from lingxi.errors import UnknownCoupon
from lingxi.schema import Event
from lingxi.store import Store

IsMember = Callable[[sa.Connection, str, int, datetime], bool]
"""Whether a customer is in a segment now."""


class Coupons:
    """The coupons of one shop. Methods that change something need a transaction that may write.

    Parameters
    ----------
    is_member
        Answers conditions on segments.
    """

    def __init__(self, store: Store, is_member: IsMember) -> None:
        self.store = store
        self.vault = Vault(store.keyring)
        self.is_member = is_member
        self.currency = store.settings.shop.currency
        self.zone = store.settings.zone

    def put_offer(self, tx: sa.Connection, offer: Offer, now: datetime, *, actor: str) -> Kept:
        """Make the offer so. See ``book.put_offer``."""
        return put_offer(tx, self.vault, offer, now, actor=actor)

    def issue(
        self, tx: sa.Connection, offer: str, customer: int | None, key: str, now: datetime
    ) -> Code:
        """A coupon of the offer for a customer; the same key always gives the same coupon.

        Raises
        ------
        UnknownOffer
            If there is no such offer.
        OfferClosed
            If it is paused or over, or has nothing left.
        """
        code, events = issue_one(tx, self.vault, offer, customer, key, now, self.zone)
        self.store.log.append(events, tx=tx)
        return code

    def read(self, tx: sa.Connection, coupon_id: int) -> Code:
        """A coupon with its code, for whoever shows it to its holder.

        Raises
        ------
        UnknownCoupon
            If there is none of this number, or nobody has it yet.
        """
        row = get_coupon(tx, coupon_id)
        if row is None or row.issued_at is None:
            raise UnknownCoupon(f"There is no coupon {coupon_id}.")
        return read_code(tx, self.vault, row)

    def see(self, tx: sa.Connection, coupon_id: int, now: datetime) -> bool:
        """Note that its holder has seen a coupon; whether that was new."""
        events = see_one(tx, coupon_id, now)
        self.store.log.append(events, tx=tx)
        return bool(events)

    def check(
        self,
        tx: sa.Connection,
        code: str,
        basket: Basket,
        customer: int | None,
        now: datetime,
    ) -> Verdict:
        """Whether a code may be used on a basket, and what it would take off. Changes nothing."""
        return redeeming.examine(self, tx, code, basket, customer, now).verdict

    def redeem(
        self,
        tx: sa.Connection,
        code: str,
        basket: Basket,
        customer: int | None,
        *,
        order_id: str,
        key: str,
        now: datetime,
    ) -> Redemption:
        """Use a code on an order, once: the same ``key`` gets the same answer again.

        A refusal is an answer, not an error, and is not remembered: the next try is judged anew.

        Raises
        ------
        Conflict
            If the key was used for another code or order, or its redemption was released.
        InvalidInput
            If key or order are empty or too long.
        """
        found, events = redeeming.redeem_code(
            self, tx, code, basket, customer, order_id=order_id, key=key, now=now
        )
        self.store.log.append(events, tx=tx)
        return found

    def follow(self, tx: sa.Connection, order: Event, now: datetime) -> int:
        """Redeem the codes that a shop's own checkout took. See ``following.follow_order``."""
        done, events = follow_order(self, tx, order, now)
        self.store.log.append(events, tx=tx)
        return done

    def release(
        self, tx: sa.Connection, order_id: str, now: datetime, *, code: str = "", actor: str = ""
    ) -> int:
        """Give back what an order redeemed, all of it or one code; how many coupons that were."""
        done, events = release_order(self.vault, tx, order_id, now, code=code, actor=actor)
        self.store.log.append(events, tx=tx)
        return done

    def revoke(
        self, tx: sa.Connection, coupon_id: int, now: datetime, *, actor: str, note: str = ""
    ) -> bool:
        """Make a coupon worthless; false where it was so already.

        Raises
        ------
        UnknownCoupon
            If there is none of this number.
        Conflict
            If it was redeemed: release its order first.
        """
        events = revoke_one(tx, coupon_id, now, actor=actor, note=note)
        self.store.log.append(events, tx=tx)
        return bool(events)

    def expire(self, tx: sa.Connection, now: datetime, *, limit: int = 500) -> int:
        """Close coupons whose time is over, at most ``limit``; how many there were."""
        events = expire_due(tx, now, limit)
        self.store.log.append(events, tx=tx)
        return len(events)

    def import_codes(
        self, tx: sa.Connection, offer: str, codes: Sequence[str], now: datetime, *, actor: str
    ) -> Imported:
        """Add codes to the pool of an offer. See ``pool.import_codes``."""
        return import_codes(tx, self.vault, offer, codes, now, actor=actor)

    def find_number(self, tx: sa.Connection, code: str) -> int:
        """The number of the coupon with this code of its own.

        Raises
        ------
        UnknownCoupon
            If there is none.
        """
        found = find_by_code(tx, self.vault.find_by(code))
        if found is None:
            raise UnknownCoupon("There is no coupon with this code of its own.")
        return found.coupon
