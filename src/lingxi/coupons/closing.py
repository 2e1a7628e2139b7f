"""The other ways of a coupon: seen, expired, revoked; and whether it is still good."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from lingxi.coupons.book import find_offer
from lingxi.coupons.events import coupon_event
from lingxi.coupons.ledger import OUTSTANDING, Account, Move, post
from lingxi.coupons.tables import coupon
from lingxi.errors import Conflict, UnknownCoupon
from lingxi.schema import Event, Name
from lingxi.store.keyed import select_by_keys

_OUTSTANDING = [str(each) for each in OUTSTANDING]


def find_valid(tx: sa.Connection, coupon_ids: Collection[int], now: datetime) -> frozenset[int]:
    """Which of these coupons can be redeemed at this moment, as far as it lies with the coupon.

    For send time: a message that carries a coupon that is not valid is not sent.
    """
    if not coupon_ids:
        return frozenset()
    c, keys = coupon.c, {(number,) for number in coupon_ids}
    rows = tx.execute(
        select_by_keys(tx, [c.coupon], keys, [c.coupon, c.offer, c.state, c.expires_at])
    ).all()
    good = [
        row
        for row in rows
        if row.state in _OUTSTANDING and (row.expires_at is None or row.expires_at > now)
    ]
    kept = {name: find_offer(tx, name) for name in {row.offer for row in good}}
    open_ones = {name for name, each in kept.items() if each is not None and not each.offer.paused}
    return frozenset(row.coupon for row in good if row.offer in open_ones)


def see_one(tx: sa.Connection, coupon_id: int, now: datetime) -> list[Event]:
    """Note that a coupon was seen; its event, if that was new."""
    same = sa.update(coupon).where(
        coupon.c.coupon == coupon_id, coupon.c.state == str(Account.ISSUED)
    )
    if tx.execute(same.values(state=str(Account.SEEN), seen_at=now)).rowcount == 0:
        return []
    row = tx.execute(sa.select(coupon).where(coupon.c.coupon == coupon_id)).one()
    move = Move(row.offer, Account.ISSUED, Account.SEEN, coupon_id, row.customer)
    post(tx, [move], now, actor="see")
    return [coupon_event(Name.COUPON_SEEN, coupon_id, row.offer, row.customer, now)]


def is_due(tx: sa.Connection, now: datetime) -> bool:
    """Whether the time of an outstanding coupon is over."""
    c = coupon.c
    due = sa.select(c.coupon).where(c.state.in_(_OUTSTANDING), c.expires_at <= now).limit(1)
    return tx.execute(due).first() is not None


def expire_due(tx: sa.Connection, now: datetime, limit: int) -> list[Event]:
    """Close outstanding coupons whose time is over; their events."""
    c = coupon.c
    due = sa.select(c.coupon, c.offer, c.customer, c.state, c.expires_at).where(
        c.state.in_(_OUTSTANDING), c.expires_at <= now
    )
    rows = tx.execute(due.order_by(c.expires_at, c.coupon).limit(limit)).all()
    if not rows:
        return []
    numbers = [row.coupon for row in rows]
    tx.execute(sa.update(coupon).where(c.coupon.in_(numbers)).values(state=str(Account.EXPIRED)))
    moves = [
        Move(row.offer, Account(row.state), Account.EXPIRED, row.coupon, row.customer)
        for row in rows
    ]
    post(tx, moves, now, actor="expire")
    return [
        coupon_event(Name.COUPON_EXPIRED, row.coupon, row.offer, row.customer, row.expires_at)
        for row in rows
    ]


def revoke_one(
    tx: sa.Connection, coupon_id: int, now: datetime, *, actor: str, note: str
) -> list[Event]:
    """Make a coupon worthless; its event, if it was not so already."""
    row = tx.execute(sa.select(coupon).where(coupon.c.coupon == coupon_id)).first()
    if row is None:
        raise UnknownCoupon(f"There is no coupon {coupon_id}.")
    if row.state in (Account.REVOKED, Account.EXPIRED):
        return []
    if row.state == Account.REDEEMED:
        raise Conflict(f"Coupon {coupon_id} was redeemed; release its order first.")
    same = sa.update(coupon).where(coupon.c.coupon == coupon_id)
    tx.execute(same.values(state=str(Account.REVOKED)))
    move = Move(row.offer, Account(row.state), Account.REVOKED, coupon_id, row.customer, note=note)
    post(tx, [move], now, actor=actor)
    return [coupon_event(Name.COUPON_REVOKED, coupon_id, row.offer, row.customer, now)]
