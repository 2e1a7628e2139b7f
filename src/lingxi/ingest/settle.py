"""An order counts once, however many sources tell of it and however often.

The first telling is the order. What later tellings change is expressed in events that everything
above already understands: goods that left the order come back as a refund tied to it, goods that
were added are a further part of it. The telling itself stays in the log as
"Order Updated" or "Order Cancelled", which move no money.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.tables import order_state
from lingxi.schema import Event, Line, Name
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
Goods = dict[str, tuple[int, int]]
"""Item → units and their amount in minor units."""


@dataclass
class Order:
    """One order as last told; ``goods`` are those that stand, refunds taken off."""

    order_id: str
    subject: int | None
    told_at: datetime
    tellings: int = 0
    goods_cents: int = 0
    refunded_cents: int = 0
    goods: Goods = field(default_factory=dict)

    @property
    def left_cents(self) -> int:
        """What of the goods value has not come back."""
        return max(0, self.goods_cents - self.refunded_cents)


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
        before = orders.get(each.order_id)
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
        if event.name in (Name.ORDER_COMPLETED, Name.ORDER_UPDATED) and (goods or amount):
            order.goods, order.goods_cents, order.tellings = goods, amount, 1
            return [_rename(event, Name.ORDER_COMPLETED)], order
        if event.name == Name.ORDER_REFUNDED:
            return [event], order
        return [event], order
    if not order.tellings and event.name == Name.ORDER_COMPLETED:  # a refund was told before it
        order.goods, order.goods_cents, order.tellings = goods, amount, 1
        return [event], order
    if event.name == Name.ORDER_REFUNDED:
        return [_refund(order, event, goods, amount)], order
    if event.name == Name.ORDER_CANCELLED:
        return [event, *_take_back(order, event, dict(order.goods), order.left_cents)], order
    return _update(order, event, goods, amount)


def _update(order: Order, event: Event, goods: Goods, amount: int) -> tuple[list[Event], Order]:
    """A second telling: an older one changes nothing, a newer one what differs."""
    told = _rename(event, Name.ORDER_UPDATED)
    if event.occurred_at < order.told_at or not (goods or event.amount_cents):
        return [told], order
    order.told_at = event.occurred_at
    if order.subject is None:
        order.subject = event.subject
    by_lines = bool(goods) and (bool(order.goods) or not order.left_cents)
    less, more = compare_goods(order.goods, goods) if by_lines else ({}, {})
    difference = amount - order.left_cents
    lost = sum_goods(less) if by_lines else max(0, -difference)
    gained = sum_goods(more) if by_lines else max(0, difference)
    extra: list[Event] = []
    if lost or less:
        extra += _take_back(order, event, less, lost)
    if gained or more:
        extra += _add(order, event, more, gained)
    return [told, *extra], order


def _refund(order: Order, event: Event, goods: Goods, amount: int) -> Event:
    """A refund: of everything where it names nothing, and never of more than is left."""
    if not goods and not event.amount_cents:
        goods, amount = dict(order.goods), order.left_cents
    amount = min(amount, order.left_cents) if order.tellings else amount
    lines = _to_lines(goods) if amount or not order.tellings else ()
    _subtract(order, goods, amount)
    return msgspec.structs.replace(event, amount_cents=amount, lines=lines)


def _take_back(order: Order, event: Event, goods: Goods, amount: int) -> list[Event]:
    """The refund that a cancellation or a smaller order means; none where nothing is left."""
    amount = min(amount, order.left_cents)
    if not amount and not goods:
        return []
    derived = _derive(order, event, Name.ORDER_REFUNDED, goods, amount)
    _subtract(order, goods, amount)
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
        lines=_to_lines(goods),
        properties={"told_by": event.event_id},
    )


def _gain(order: Order, goods: Goods, amount: int) -> None:
    order.goods_cents += amount
    for item_id, (units, cents) in goods.items():
        old = order.goods.get(item_id, (0, 0))
        order.goods[item_id] = (old[0] + units, old[1] + cents)


def _subtract(order: Order, goods: Goods, amount: int) -> None:
    order.refunded_cents += amount
    for item_id, (units, cents) in goods.items():
        old = order.goods.get(item_id)
        if old is None:
            continue
        if old[0] <= units:
            del order.goods[item_id]
        else:
            order.goods[item_id] = (old[0] - units, old[1] - cents)


def _rename(event: Event, name: Name) -> Event:
    return event if event.name == name else msgspec.structs.replace(event, name=name.value)


def collect_goods(lines: Iterable[Line]) -> Goods:
    """Units and amount by item.

    >>> collect_goods([Line("a", 2, 500, 1000), Line("a", 1, 500, 500)])
    {'a': (3, 1500)}
    """
    goods: Goods = {}
    for line in lines:
        units, cents = goods.get(line.item_id, (0, 0))
        goods[line.item_id] = (units + line.quantity, cents + (line.amount_cents or 0))
    return goods


def compare_goods(before: Mapping[str, tuple[int, int]], after: Goods) -> tuple[Goods, Goods]:
    """What left and what was added, each at its own price.

    >>> compare_goods({"a": (3, 1500), "b": (1, 200)}, {"a": (2, 1000), "c": (1, 700)})
    ({'a': (1, 500), 'b': (1, 200)}, {'c': (1, 700)})
    """
    less: Goods = {}
    more: Goods = {}
    for item_id in (*before, *(i for i in after if i not in before)):
        had, cost = before.get(item_id, (0, 0))
        has, costs = after.get(item_id, (0, 0))
        if has < had:
            less[item_id] = (had - has, cost - costs if has else cost)
        elif has > had:
            more[item_id] = (has - had, costs - cost)
    return less, more


def sum_goods(goods: Mapping[str, tuple[int, int]]) -> int:
    """The amount of all goods."""
    return sum(cents for _, cents in goods.values())


def _to_lines(goods: Goods) -> tuple[Line, ...]:
    return tuple(
        Line(item_id, units, round(cents / units) if units else None, cents)
        for item_id, (units, cents) in goods.items()
    )


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
        order_id: Order(order_id, subject, told_at, tellings, cents, back, _LINES.decode(lines))
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
            _subtract(order, goods, amount)
        else:
            _gain(order, goods, amount)
    return order


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
                "lines": msgspec.json.encode(order.goods).decode(),
            }
            for order in orders
        ],
    )


def forget_orders(tx: Connection, subjects: Sequence[int]) -> int:
    """Remove the orders of these surrogates. Rows removed."""
    own = order_state.c.subject.in_(sorted(subjects))
    return tx.execute(sa.delete(order_state).where(own)).rowcount
