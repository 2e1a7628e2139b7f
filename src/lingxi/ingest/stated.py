"""What a file says came back of an order in all, beside refunds that others tell of one by one.

Such a sum has no goods, and its date is that of the order. So it counts less what the log has of
the order's refunds, and a refund of before the file was read, told of later, is part of the sum.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.goods import Goods, add_goods, collect_goods, subtract_goods, to_lines
from lingxi.ingest.order_rows import Order, Refund
from lingxi.schema import Event, Line, Name
from lingxi.store.codec import from_row
from lingxi.store.tables import event as event_table
from lingxi.store.tables import identity, to_micros

STATED = "refunded_total_cents"
"""The property of a refund that has what came back of the order in all, costs included."""
_EARLIER = timedelta(days=1)


def is_stated(event: Event) -> bool:
    """Whether this is a sum that a file stated."""
    return event.name == Name.ORDER_REFUNDED and STATED in event.properties


def read_refunds(
    tx: Connection, events: Sequence[Event], *, guests: bool = False
) -> dict[str | None, list[Event]]:
    """The refunds that the log has of these events' orders, by order, under any name of their
    customers, and of nobody where an order is, or ``guests`` are asked for."""
    came: dict[str | None, list[Event]] = {e.order_id: [] for e in events}
    if not events:
        return came
    c, own = event_table.c, sorted({e.subject for e in events if e.subject is not None})
    customers = sa.select(identity.c.customer).where(identity.c.subject.in_(own))
    everyone = sa.select(identity.c.subject).where(identity.c.customer.in_(customers))
    guests = guests or any(e.subject is None for e in events)
    who = sa.or_(c.subject.in_(everyone), c.subject.is_(None) if guests else sa.false())
    since = to_micros(min(e.occurred_at for e in events) - _EARLIER)
    query = sa.select(c.position, c.payload).where(
        who, c.occurred_at >= since, c.name == Name.ORDER_REFUNDED.value
    )
    for position, payload in tx.execute(query).all():
        event = from_row(position, payload)
        if event.order_id in came:
            came[event.order_id].append(event)
    return came


class Sums:
    """The sums among the events of a file, and what is known of their orders: what the log has of
    their refunds, and ``orders`` that messages told of, of which those that change are noted."""

    def __init__(
        self,
        tx: Connection,
        events: Sequence[Event],
        known: Collection[str],
        orders: Mapping[str, Order],
    ) -> None:
        new = [e for e in events if e.event_id not in known]
        fresh = {e.order_id for e in new if is_sale(e)} - orders.keys()
        self._noted = dict(orders)
        self._back = read_refunds(tx, [e for e in new if is_stated(e) and e.order_id not in fresh])
        self.changed: set[str] = set()

    def settle(self, event: Event, settled: Sequence[Event]) -> list[Event]:
        """What a sum adds to its order's refunds, of the log and of those just ``settled``."""
        order = self._noted.get(event.order_id or "")
        told = self._back.get(event.order_id, [])
        if order is not None:
            own = (e for e in settled if e.order_id == event.order_id)
            told = [*told, *(e for e in own if e.name == Name.ORDER_REFUNDED)]
        new = take_new(event, told)
        if order is not None:
            self.changed.add(order.order_id)
            for each in new:
                order.take_off(collect_goods(each.lines), each.amount_cents or 0)
                note_stated(order, each)
        return new


def is_sale(event: Event) -> bool:
    """Whether this is an order of something."""
    return event.name == Name.ORDER_COMPLETED and bool(event.lines or event.amount_cents)


def take_new(event: Event, refunds: Sequence[Event]) -> list[Event]:
    """What a stated sum adds to the refunds of its order; nothing where it adds nothing."""
    stated, goods = int(event.properties[STATED] or 0), event.amount_cents or 0
    amount = sum(e.amount_cents or 0 for e in refunds)
    total = amount + sum(e.cost_cents or 0 for e in refunds)
    new, cost = goods, event.cost_cents
    lines, properties = event.lines, event.properties
    if event.lines:  # the order came back whole: nothing is left to be told of
        properties = {name: value for name, value in properties.items() if name != STATED}
        if refunds:
            new = max(0, goods - amount)
            cost, lines = stated - total - new, _leave_lines(event, refunds) if new else ()
    elif refunds:
        new = max(0, min(goods - amount, stated - total))
        cost = max(0, stated - total - new) or None
    if not new and not cost:
        return []
    told = msgspec.structs.replace(
        event, amount_cents=new, cost_cents=cost, lines=lines, properties=properties
    )
    return [told]


def _leave_lines(event: Event, refunds: Sequence[Event]) -> tuple[Line, ...]:
    gone: Goods = {}
    for each in refunds:
        gone = add_goods(gone, collect_goods(each.lines))
    return to_lines(subtract_goods(collect_goods(event.lines), gone)) if gone else event.lines


def note_stated(order: Order, event: Event) -> None:
    """Note the money of a sum, of which other sources may tell later."""
    if not is_stated(event):
        return
    order.filed_cents += (event.amount_cents or 0) + (event.cost_cents or 0)
    order.filed_at = event.received_at


def take_covered(order: Order, said: Refund) -> int | None:
    """What of a refund's goods value a file's sum did not hold; nothing where it holds none."""
    if not order.filed_cents or order.filed_at is None or said.at > order.filed_at:
        return None
    worth = said.total_cents if said.total_cents > 0 else said.cents
    covered = min(worth, order.filed_cents)
    order.filed_cents -= covered
    order.returned = add_goods(order.returned, said.goods)
    return max(0, said.cents - covered) if covered < worth else 0


def take_waiting(order: Order) -> None:
    """Take off the refunds that wait for the order what a file's sum held of them."""
    for said in order.refunds:
        rest = take_covered(order, said) if order.owed_cents else None
        if rest is not None:
            order.owed_cents -= min(order.owed_cents, said.cents - rest)
            order.owed = subtract_goods(order.owed, said.goods)
