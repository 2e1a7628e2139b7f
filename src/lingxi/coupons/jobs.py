"""What runs by itself: coupons expire, and cancelled orders give theirs back."""

from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lingxi.coupons.closing import is_due
from lingxi.schema import Event, Name
from lingxi.store import Store

if TYPE_CHECKING:
    from lingxi.coupons.till import Coupons

CONSUMER = "coupons"
_READ = 500
_SEEN = (Name.MESSAGE_OPENED, Name.MESSAGE_CLICKED, Name.MESSAGE_SHOWN)
_EXPIRE = 500
_SKIP = 5_000


def run_once(store: Store, till: "Coupons", now: datetime) -> int:
    """Do what is due, at most a second's worth; how many coupons or events that were."""
    return follow_log(store, till, now) + expire(store, till, now)


def expire(store: Store, till: "Coupons", now: datetime) -> int:
    """Close coupons whose time is over."""
    with store.read() as tx:
        if not is_due(tx, now):
            return 0
    with store.write() as tx:
        return till.expire(tx, now, limit=_EXPIRE)


def follow_log(store: Store, till: "Coupons", now: datetime) -> int:
    """Past a cursor: orders that were cancelled give their coupons back, and a message that was
    opened, clicked or shown with a coupon makes it seen. How many coupons changed."""
    after = store.log.cursor(CONSUMER)
    last = store.log.position()
    if last <= after:
        return 0
    events = store.log.read(after=after, limit=_READ, names=[Name.ORDER_CANCELLED, *_SEEN])
    position = events[-1].position if len(events) == _READ else last
    if not events and position - after < _SKIP:
        return 0  # nothing to note: the same stretch is read again
    changed = 0
    with store.write() as tx:
        for event in events:
            changed += _follow(till, tx, event, now)
        store.log.move_cursor(tx, CONSUMER, position)
    return changed


def _follow(till: "Coupons", tx: sa.Connection, event: Event, now: datetime) -> int:
    if event.name == Name.ORDER_CANCELLED:
        if not event.order_id:
            return 0
        return till.release(tx, event.order_id, now, actor="order cancelled")
    if event.properties.get("machine"):
        return 0  # a scanner of a mail server has seen nothing
    number = event.properties.get("coupon")
    return int(type(number) is int and till.see(tx, number, now))
