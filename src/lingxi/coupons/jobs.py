"""What runs by itself: coupons expire, and cancelled orders give theirs back."""

from datetime import datetime
from typing import TYPE_CHECKING

from lingxi.coupons.closing import is_due
from lingxi.schema import Name
from lingxi.store import Store

if TYPE_CHECKING:
    from lingxi.coupons.till import Coupons

CONSUMER = "coupons"
_READ = 500
_EXPIRE = 500
_SKIP = 5_000


def run_once(store: Store, till: "Coupons", now: datetime) -> int:
    """Do what is due, at most a second's worth; how many coupons or events that were."""
    return follow_orders(store, till, now) + expire(store, till, now)


def expire(store: Store, till: "Coupons", now: datetime) -> int:
    """Close coupons whose time is over."""
    with store.read() as tx:
        if not is_due(tx, now):
            return 0
    with store.write() as tx:
        return till.expire(tx, now, limit=_EXPIRE)


def follow_orders(store: Store, till: "Coupons", now: datetime) -> int:
    """Release the coupons of orders that were cancelled, by the log and past a cursor."""
    after = store.log.cursor(CONSUMER)
    last = store.log.position()
    if last <= after:
        return 0
    events = store.log.read(after=after, limit=_READ, names=[Name.ORDER_CANCELLED])
    position = events[-1].position if len(events) == _READ else last
    if not events and position - after < _SKIP:
        return 0  # nothing to note: the same stretch is read again
    with store.write() as tx:
        for event in events:
            if event.order_id:
                till.release(tx, event.order_id, now, actor="order cancelled")
        store.log.move_cursor(tx, CONSUMER, position)
    return len(events)
