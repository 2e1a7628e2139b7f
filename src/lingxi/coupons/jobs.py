"""What runs by itself: coupons expire, are seen, redeemed by orders and given back by them."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.coupons.closing import is_due
from lingxi.coupons.following import drop_old_strays
from lingxi.ingest.order_names import is_gone, list_numbers
from lingxi.schema import Event, Name
from lingxi.store import Store

if TYPE_CHECKING:
    from lingxi.coupons.till import Coupons

CONSUMER = "coupons"
_READ = 500
_SEEN = (Name.MESSAGE_OPENED, Name.MESSAGE_CLICKED, Name.MESSAGE_SHOWN)
_ORDERS = (Name.ORDER_COMPLETED, Name.ORDER_UPDATED)
_UNDONE = (Name.ORDER_CANCELLED, Name.ORDER_REFUNDED)
_NAMES = (*_ORDERS, *_UNDONE, *_SEEN)
_EXPIRE = 500
_SKIP = 5_000
_REACH = 50_000
"""Positions that one look goes through at most."""


def run_once(
    store: Store, till: "Coupons", now: datetime, *, checkouts: Collection[str] = ()
) -> int:
    """Do what is due, at most a second's worth; how many coupons or events that were.

    ``checkouts`` are the sources whose orders may redeem codes: signed webhooks of shop platforms.
    """
    return follow_log(store, till, now, checkouts=checkouts) + expire(store, till, now)


def expire(store: Store, till: "Coupons", now: datetime) -> int:
    """Close coupons whose time is over."""
    with store.read() as tx:
        if not is_due(tx, now):
            return 0
    with store.write() as tx:
        drop_old_strays(tx, now)
        return till.expire(tx, now, limit=_EXPIRE)


def follow_log(
    store: Store, till: "Coupons", now: datetime, *, checkouts: Collection[str] = ()
) -> int:
    """Past a cursor: orders redeem the codes that they name, those that were cancelled or came back
    as a whole give theirs back, and a message that was opened, clicked or shown with a coupon makes
    it seen. How many coupons changed; at least 1 where the log goes on."""
    after = store.log.cursor(CONSUMER)
    last = store.log.position()
    if last <= after:
        return 0
    reach = min(last, after + _REACH)
    events = store.log.read(after=after, limit=_READ, names=_NAMES, upto=reach)
    position = events[-1].position if len(events) == _READ else reach
    if not events and position - after < _SKIP:
        return 0  # nothing to note: the same stretch is read again
    changed = 0
    with store.write() as tx:
        for event in events:
            changed += _follow(till, tx, event, now, checkouts)
        store.log.move_cursor(tx, CONSUMER, position)
    return max(changed, int(reach < last))


def _follow(
    till: "Coupons", tx: sa.Connection, event: Event, now: datetime, checkouts: Collection[str]
) -> int:
    if event.name in _ORDERS:
        return till.follow(tx, event, now) if event.source in checkouts else 0
    if event.name in _UNDONE:
        return _release(till, tx, event, now)
    if event.properties.get("machine"):
        return 0  # a scanner of a mail server has seen nothing
    number = event.properties.get("coupon")
    return int(type(number) is int and till.see(tx, number, now))


def _release(till: "Coupons", tx: sa.Connection, event: Event, now: datetime) -> int:
    if not event.order_id:
        return 0
    cancelled = event.name == Name.ORDER_CANCELLED
    if not cancelled and not is_gone(tx, event.order_id):
        return 0  # part of it stays, and the coupon with it
    why = "order cancelled" if cancelled else "order refunded"
    numbers = sorted(list_numbers(tx, event.order_id))
    return sum(till.release(tx, number, now, actor=why) for number in numbers)
