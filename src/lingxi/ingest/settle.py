"""An order counts once, however many sources tell of it and however often.

The first telling is the order. What later tellings change is expressed in events that everything
above already understands: goods that left the order come back as a refund tied to it, goods that
were added are a further part of it. The telling itself stays in the log as
"Order Updated" or "Order Cancelled", which move no money.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.goods import (
    Goods,
    add_goods,
    collect_goods,
    compare_goods,
    subtract_goods,
    sum_goods,
    to_lines,
)
from lingxi.ingest.tables import order_state
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.codec import from_row
from lingxi.store.keyed import fetch_typed, upsert
from lingxi.store.log import find_known
from lingxi.store.tables import NAMED, to_micros
from lingxi.store.tables import event as event_table

_ORDERS = frozenset(
    {
        Name.ORDER_COMPLETED.value,
        Name.ORDER_UPDATED.value,
        Name.ORDER_CANCELLED.value,
        Name.ORDER_REFUNDED.value,
    }
)
_EARLIER = timedelta(days=1)
"""How much older than its order a part may be dated."""
_LINES = msgspec.json.Decoder(dict[str, tuple[int, int]])


@dataclass
class Order:
    """One order as last told. ``ordered`` are its goods without what refunds took off, ``returned``
    what those took off.

    What is told before the order itself waits: ``owed`` are refunds that named nobody, which could
    be nobody's yet, and ``ended`` says that a cancellation came, or a refund of everything.
    """

    order_id: str
    subject: int | None
    told_at: datetime
    tellings: int = 0
    goods_cents: int = 0
    refunded_cents: int = 0
    ordered: Goods = field(default_factory=dict)
    returned: Goods = field(default_factory=dict)
    returned_cents: int = 0
    owed: Goods = field(default_factory=dict)
    owed_cents: int = 0
    ended: bool = False

    @property
    def left_cents(self) -> int:
        """What of the goods value has not come back."""
        return max(0, self.goods_cents - self.refunded_cents)

    @property
    def goods(self) -> Goods:
        """The goods that stand, refunds taken off."""
        return subtract_goods(self.ordered, self.returned)


class _Kept(msgspec.Struct, array_like=True):
    """What a row keeps of an order beside its columns."""

    ordered: Goods
    returned: Goods = {}
    returned_cents: int = 0
    owed: Goods = {}
    owed_cents: int = 0
    ended: bool = False


_KEPT = msgspec.json.Decoder(_Kept)


def settle_orders(
    store: Store, tx: Connection, events: Sequence[Event], *, imported: bool = False
) -> list[Event]:
    """The events to append: each as it came, and after it what it changes of an order known before.

    Nothing is read or written where no event is about an order. ``imported`` orders are not noted:
    the log itself tells of them, by their ids; only what messages told before is compared.
    """
    del store
    wanted = {e.order_id for e in events if e.name in _ORDERS and e.order_id}
    if not wanted:
        return list(events)
    known = find_known(tx, {e.event_id for e in events if e.order_id in wanted})
    orders = _read_orders(tx, wanted, from_log=not imported)
    changed: set[str] = set()
    settled: list[Event] = []
    for each in events:
        if each.name not in _ORDERS or each.order_id is None or each.event_id in known:
            settled.append(each)
            continue
        known.add(each.event_id)
        before = orders.get(each.order_id)
        if imported and before is None and each.name == Name.ORDER_REFUNDED:
            settled.append(each)  # of an order in the log, to which the file has tied it
            continue
        result, after = tell(before, each)
        settled += result
        orders[each.order_id] = after
        if before is not None or not imported:
            changed.add(each.order_id)
    _write_orders(tx, [orders[order_id] for order_id in sorted(changed)])
    return settled


def tell(order: Order | None, event: Event) -> tuple[list[Event], Order]:
    """What one telling adds to the log, and the order after it. Pure."""
    if event.subject is None and order is not None and order.subject is not None:
        event = msgspec.structs.replace(event, subject=order.subject)
    goods = collect_goods(event.lines)
    amount = event.amount_cents if event.amount_cents is not None else sum_goods(goods)
    if order is None:
        order = Order(str(event.order_id), event.subject, event.occurred_at)
    if not order.tellings:
        if event.name in (Name.ORDER_COMPLETED, Name.ORDER_UPDATED) and (goods or amount):
            return _place(order, event, goods, amount)
        return _tell_early(order, event, goods, amount)
    if event.name == Name.ORDER_REFUNDED:
        return [_refund(order, event, goods, amount)], order
    if event.name == Name.ORDER_CANCELLED:
        return [event, *_take_back(order, event, dict(order.goods), order.left_cents)], order
    return _update(order, event, goods, amount)


def _place(order: Order, event: Event, goods: Goods, amount: int) -> tuple[list[Event], Order]:
    """The first telling is the order. What came before it is taken off now."""
    ended = order.ended and event.occurred_at <= order.told_at
    order.ordered, order.goods_cents, order.tellings = goods, amount, 1
    order.told_at = event.occurred_at
    if event.subject is not None:
        order.subject = event.subject
    owed, cents = order.owed, min(order.owed_cents, order.left_cents)
    order.owed, order.owed_cents, order.ended = {}, 0, False
    settled = [_rename(event, Name.ORDER_COMPLETED)]
    if owed or cents:
        settled.append(_derive(order, event, Name.ORDER_REFUNDED, owed, cents))
        _return(order, owed, cents)
    if ended:
        settled += _take_back(order, event, dict(order.goods), order.left_cents)
    return settled, order


def _tell_early(order: Order, event: Event, goods: Goods, amount: int) -> tuple[list[Event], Order]:
    """A refund or a cancellation of an order that nobody has told of yet.

    A refund that names its customer counts at once. One that names nobody moves no money until
    its order comes, and is that customer's then.
    """
    if event.name == Name.ORDER_REFUNDED and not _names_nothing(event, goods):
        if event.subject is not None:
            order.subject = event.subject
            _return(order, goods, amount)
            return [event], order
        order.owed = add_goods(order.owed, goods)
        order.owed_cents += amount
        said = {**event.properties, "refunded_cents": amount}
        event = msgspec.structs.replace(
            event, amount_cents=0, cost_cents=0, lines=(), properties=said
        )
    elif event.name in (Name.ORDER_REFUNDED, Name.ORDER_CANCELLED):
        order.ended = True
        order.told_at = max(order.told_at, event.occurred_at)
    return [event], order


def _names_nothing(event: Event, goods: Goods) -> bool:
    """Whether a refund says neither goods nor money, so that it is of everything."""
    return not goods and not event.amount_cents and not event.cost_cents


def _update(order: Order, event: Event, goods: Goods, amount: int) -> tuple[list[Event], Order]:
    """A second telling: an older one changes nothing, a newer one what differs."""
    told = _rename(event, Name.ORDER_UPDATED)
    if event.occurred_at < order.told_at or not (goods or event.amount_cents):
        return [told], order
    order.told_at = event.occurred_at
    if order.subject is None:
        order.subject = event.subject
    by_lines = bool(goods) and (bool(order.ordered) or not order.left_cents)
    if by_lines:
        less, more = compare_goods(order.ordered, goods, order.returned)
        lost, gained = sum_goods(less), sum_goods(more)
    else:
        less, more = {}, {}
        lost = max(0, order.left_cents - amount)
        gained = max(0, amount - order.left_cents - order.returned_cents)
    extra: list[Event] = []
    if lost or less:
        extra += _take_back(order, event, less, lost)
    if gained or more:
        extra += _add(order, event, more, gained)
    return [told, *extra], order


def _refund(order: Order, event: Event, goods: Goods, amount: int) -> Event:
    """A refund: of everything where it names nothing, and never of more than is left."""
    if _names_nothing(event, goods):
        goods, amount = dict(order.goods), order.left_cents
    amount = min(amount, order.left_cents)
    lines = to_lines(goods) if amount else ()
    _return(order, goods, amount)
    return msgspec.structs.replace(event, amount_cents=amount, lines=lines)


def _take_back(order: Order, event: Event, goods: Goods, amount: int) -> list[Event]:
    """The refund that a cancellation or a smaller order means; none where nothing is left."""
    amount = min(amount, order.left_cents)
    if not amount and not goods:
        return []
    derived = _derive(order, event, Name.ORDER_REFUNDED, goods, amount)
    order.refunded_cents += amount
    order.ordered = subtract_goods(order.ordered, goods)
    return [derived]


def _add(order: Order, event: Event, goods: Goods, amount: int) -> list[Event]:
    derived = _derive(order, event, Name.ORDER_COMPLETED, goods, amount)
    _gain(order, goods, amount)
    return [derived]


def _derive(order: Order, event: Event, name: Name, goods: Goods, amount: int) -> Event:
    order.tellings += 1
    return msgspec.structs.replace(
        event,
        event_id=f"order:{order.order_id}#{order.tellings}",
        name=name.value,
        order_id=order.order_id,
        subject=event.subject if event.subject is not None else order.subject,
        amount_cents=amount,
        cost_cents=0,
        lines=to_lines(goods),
        properties={"told_by": event.event_id},
    )


def _gain(order: Order, goods: Goods, amount: int) -> None:
    order.goods_cents += amount
    order.ordered = add_goods(order.ordered, goods)


def _return(order: Order, goods: Goods, amount: int) -> None:
    order.refunded_cents += amount
    order.returned_cents += amount
    order.returned = add_goods(order.returned, goods)


def _rename(event: Event, name: Name) -> Event:
    return event if event.name == name else msgspec.structs.replace(event, name=name.value)


def _read_orders(tx: Connection, order_ids: set[str], *, from_log: bool) -> dict[str, Order]:
    c = order_state.c
    wanted = [
        c.order_id,
        c.subject,
        c.told_at,
        c.tellings,
        c.goods_cents,
        c.refunded_cents,
        c.lines,
    ]
    rows = fetch_typed(tx, [c.order_id], [(o,) for o in order_ids], wanted)
    found = {
        order_id: _open(Order(order_id, subject, told_at, tellings, cents, back), lines)
        for order_id, subject, told_at, tellings, cents, back, lines in rows
    }
    rest = order_ids - found.keys()
    if rest and from_log:
        e = event_table.c
        keys = [(f"order:{order_id}",) for order_id in rest]
        told = fetch_typed(tx, [e.event_id], keys, [e.position, e.payload], only=NAMED)
        for position, payload in told:
            event = from_row(position, payload)
            _, order = tell(None, event)
            found[order.order_id] = _catch_up(tx, order)
    return found


def _catch_up(tx: Connection, order: Order) -> Order:
    """The order with what imported files told of it since: parts of it, and refunds."""
    c = event_table.c
    names = [Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value]
    query = sa.select(c.position, c.payload).where(
        c.subject == order.subject,
        c.occurred_at >= to_micros(order.told_at - _EARLIER),
        c.name.in_(names),
        c.event_id != f"order:{order.order_id}",
    )
    for position, payload in tx.execute(query.order_by(c.position)).all():
        event = from_row(position, payload)
        if event.order_id != order.order_id:
            continue
        goods, amount = collect_goods(event.lines), event.amount_cents or 0
        if event.name == Name.ORDER_REFUNDED:
            _return(order, goods, amount)
        else:
            _gain(order, goods, amount)
    return order


def _open(order: Order, lines: str) -> Order:
    """The order with what its row keeps; rows of before hold the goods that stood."""
    if lines.startswith("{"):
        order.ordered = _LINES.decode(lines)
        return order
    kept = _KEPT.decode(lines)
    order.ordered, order.returned = kept.ordered, kept.returned
    order.returned_cents, order.ended = kept.returned_cents, kept.ended
    order.owed, order.owed_cents = kept.owed, kept.owed_cents
    return order


def _pack(order: Order) -> str:
    kept = _Kept(
        order.ordered,
        order.returned,
        order.returned_cents,
        order.owed,
        order.owed_cents,
        order.ended,
    )
    return msgspec.json.encode(kept).decode()


def _write_orders(tx: Connection, orders: Sequence[Order]) -> None:
    upsert(
        tx,
        order_state,
        [
            {
                "order_id": order.order_id,
                "subject": order.subject,
                "told_at": order.told_at,
                "tellings": order.tellings,
                "goods_cents": order.goods_cents,
                "refunded_cents": order.refunded_cents,
                "lines": _pack(order),
            }
            for order in orders
        ],
    )


def forget_orders(tx: Connection, subjects: Sequence[int]) -> int:
    """Remove the orders of these surrogates. Rows removed."""
    own = order_state.c.subject.in_(sorted(subjects))
    return tx.execute(sa.delete(order_state).where(own)).rowcount
