"""An order counts once, however many sources tell of it and however often.

The first telling is the order. What later tellings change is expressed in events that everything
above already understands: goods that left the order come back as a refund tied to it, goods that
were added are a further part of it. The telling itself stays in the log as
"Order Updated" or "Order Cancelled", which move no money.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.goods import (
    Goods,
    add_goods,
    collect_goods,
    compare_goods,
    count_units,
    subtract_goods,
    sum_goods,
    to_lines,
)
from lingxi.ingest.order_names import is_same, name_of, put_own_numbers
from lingxi.ingest.order_rows import Order, Refund, read_orders, write_orders
from lingxi.ingest.stated import (
    Sums,
    is_sale,
    is_stated,
    note_stated,
    take_covered,
    take_waiting,
)
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.codec import from_row
from lingxi.store.keyed import fetch_typed
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
_TOGETHER = timedelta(hours=1)
"""How far apart two sources may tell of one refund."""


def settle_orders(
    store: Store, tx: Connection, events: Sequence[Event], *, imported: bool = False
) -> list[Event]:
    """The events to append: each as it came, and after it what it changes of an order known before.

    Nothing is read or written where no event is about an order. ``imported`` orders are not noted:
    the log itself tells of them, by their ids; only what messages told before is compared.
    """
    del store
    times = Counter(e.order_id for e in events if e.name in _ORDERS and e.order_id)
    wanted = set(times)
    if not wanted:
        return list(events)
    known = find_known(tx, {e.event_id for e in events if e.order_id in wanted})
    orders = _read_orders(tx, wanted, from_log=not imported)
    if imported:
        events = put_own_numbers(tx, events, orders, wanted)
    else:
        _find_imported(tx, events, orders)
    sums = Sums(tx, events, known, orders) if imported else None
    changed: set[str] = set() if sums is None else sums.changed
    settled: list[Event] = []
    for each in events:
        if each.name not in _ORDERS or each.order_id is None or each.event_id in known:
            settled.append(each)
            continue
        known.add(each.event_id)
        before = orders.get(each.order_id)
        if sums is not None and is_stated(each):
            settled += sums.settle(each, settled)
            continue
        if imported and before is None and _is_alone(each, times[each.order_id]):
            settled.append(each)
            continue
        result, orders[each.order_id] = tell(before, each)
        settled += result
        if before is not None or not imported:
            changed.add(each.order_id)
    write_orders(tx, [orders[number] for number in changed])
    return settled


def _is_alone(event: Event, times: int) -> bool:
    """Whether a file's event is a refund, which it has tied to an order in the log, or an order
    that nobody else tells of, and nobody notes."""
    return event.name == Name.ORDER_REFUNDED or (times == 1 and is_sale(event))


def _find_imported(tx: Connection, events: Sequence[Event], orders: dict[str, Order]) -> None:
    """Orders that a file named otherwise: Shopify's exports have the name that customers see
    (``#1001``), its webhooks that and the order's id. Goods in common say that it is the one."""
    names: dict[str, Event] = {}
    for each in events:
        name = name_of(each)
        early = orders.get(each.order_id or "")
        if name and each.order_id and each.lines and (early is None or not early.tellings):
            names.setdefault(name, each)
    found = _read_orders(tx, set(names), from_log=True) if names else {}
    for name, order in found.items():
        event = names[name]
        if is_same(order, event):
            order.order_id, order.alias = str(event.order_id), name
            early = orders.get(order.order_id)
            if early is not None:
                order.owed, order.owed_cents = early.owed, early.owed_cents
                order.refunds, order.ended = early.refunds, early.ended
                order.take_off(early.returned, early.returned_cents)
                take_waiting(order)
            orders[order.order_id] = order


def tell(order: Order | None, event: Event) -> tuple[list[Event], Order]:
    """What one telling adds to the log, and the order after it. Pure."""
    if event.subject is None and order is not None and order.subject is not None:
        event = msgspec.structs.replace(event, subject=order.subject)
    goods = collect_goods(event.lines)
    amount = event.amount_cents if event.amount_cents is not None else sum_goods(goods)
    name = name_of(event)
    if order is not None and order.alias:
        event = msgspec.structs.replace(event, order_id=order.alias)
    if order is None:
        order = Order(str(event.order_id), event.subject, event.occurred_at)
    order.name = name or order.name
    if event.name == Name.ORDER_REFUNDED and not _names_nothing(event, goods):
        said = _to_refund(event, goods, amount)
        if _was_told(order, said):
            return [_rename(event, Name.ORDER_UPDATED)], order
        order.refunds.append(said)
        rest = take_covered(order, said)
        if rest is not None:
            return [_refund_rest(order, event, goods, rest)], order
    if not order.tellings:
        if event.name in (Name.ORDER_COMPLETED, Name.ORDER_UPDATED) and (goods or amount):
            return _place(order, event, goods, amount)
        return _tell_early(order, event, goods, amount)
    if event.name == Name.ORDER_REFUNDED:
        return [_refund(order, event, goods, amount)], order
    if event.name == Name.ORDER_CANCELLED:
        return [event, *_take_back(order, event, dict(order.goods), order.left_cents)], order
    return _update(order, event, goods, amount)


def _to_refund(event: Event, goods: Goods, amount: int) -> Refund:
    return Refund(
        event.source,
        event.occurred_at,
        goods,
        amount,
        amount + (event.cost_cents or 0),
        str(event.properties.get("refund_id") or ""),
    )


def _was_told(order: Order, said: Refund) -> bool:
    """Whether another source told of this refund: its goods or its money, at about the time. Each
    is taken for one only."""
    for told in order.refunds:
        if said.source == told.source or abs(said.at - told.at) > _TOGETHER:
            continue
        if said.number and told.number and said.number != told.number:
            continue
        if _is_alike(said, told):
            order.refunds.remove(told)
            return True
    return False


def _is_alike(one: Refund, other: Refund) -> bool:
    units = [{i: n for i, (n, _) in each.goods.items()} for each in (one, other)]
    if units[0] and units[0] == units[1]:
        return True
    money = {one.cents, one.total_cents} & {other.cents, other.total_cents}
    return bool(money - {0})


def _place(order: Order, event: Event, goods: Goods, amount: int) -> tuple[list[Event], Order]:
    """The first telling is the order. What came before it is taken off now."""
    ended = order.ended and event.occurred_at <= order.told_at
    order.ordered, order.goods_cents, order.tellings = goods, amount, 1
    order.told_at, order.source = event.occurred_at, event.source
    if event.subject is not None:
        order.subject = event.subject
    return [_rename(event, Name.ORDER_COMPLETED), *_take_owed(order, event, ended)], order


def _take_owed(order: Order, event: Event, ended: bool) -> list[Event]:
    """The refunds that waited for the order, now that it is told."""
    owed, cents = order.owed, min(order.owed_cents, order.left_cents)
    order.owed, order.owed_cents, order.ended = {}, 0, False
    taken = []
    if owed or cents:
        taken.append(_derive(order, event, Name.ORDER_REFUNDED, owed, cents))
        order.take_off(owed, cents)
    if ended:
        taken += _take_back(order, event, dict(order.goods), order.left_cents)
    return taken


def _tell_early(order: Order, event: Event, goods: Goods, amount: int) -> tuple[list[Event], Order]:
    """A refund or a cancellation of an order that nobody has told of yet.

    A refund that names its customer counts at once. One that names nobody moves no money until
    its order comes, and is that customer's then.
    """
    if event.name == Name.ORDER_REFUNDED and not _names_nothing(event, goods):
        if event.subject is not None:
            order.subject = event.subject
            order.take_off(goods, amount)
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
    told = [_rename(event, Name.ORDER_UPDATED), *_take_owed(order, event, order.ended)]
    if event.occurred_at < order.told_at or not (goods or event.amount_cents):
        return told, order
    order.told_at = event.occurred_at
    if order.subject is None:
        order.subject = event.subject
    by_lines = bool(goods) and (bool(order.ordered) or not order.left_cents)
    if by_lines:
        goods = _in_own_names(order, event, goods)
        less, more = compare_goods(order.ordered, goods, order.returned)
        lost, gained = sum_goods(less), sum_goods(more)
    else:
        less, more = {}, {}
        lost = max(0, order.left_cents - amount)
        gained = max(0, amount - order.left_cents - order.returned_cents)
    extra: list[Event] = []
    filed = min(lost, order.filed_cents)
    lost, order.filed_cents = lost - filed, order.filed_cents - filed
    if lost or less:
        extra += _take_back(order, event, less, lost)
    if gained or more:
        extra += _add(order, event, more, gained)
    return [*told, *extra], order


def _in_own_names(order: Order, event: Event, goods: Goods) -> Goods:
    """Goods as the order names them. As many as it has, which another source tells of under other
    ids, are the same: a shop's pages may name products by number and its webhooks by SKU."""
    others = order.ordered.keys().isdisjoint(goods)
    if event.source == order.source or not others:
        return goods
    if count_units(goods) not in (count_units(order.ordered), count_units(order.goods)):
        return goods
    if order.returned.keys() <= goods.keys():
        order.ordered, order.source = goods, event.source
    return order.ordered


def _refund(order: Order, event: Event, goods: Goods, amount: int) -> Event:
    """A refund: of everything where it names nothing, and never of more than is left."""
    if _names_nothing(event, goods):
        goods, amount = dict(order.goods), order.left_cents
    amount = min(amount, order.left_cents)
    lines = to_lines(goods) if amount else ()
    order.take_off(goods, amount)
    return msgspec.structs.replace(event, amount_cents=amount, lines=lines)


def _refund_rest(order: Order, event: Event, goods: Goods, amount: int) -> Event:
    """A refund of which a file's sum held a part already, or all of it."""
    amount = min(amount, order.left_cents)
    if not amount:
        return _rename(event, Name.ORDER_UPDATED)
    order.take_off({}, amount)
    return msgspec.structs.replace(event, amount_cents=amount, lines=to_lines(goods))


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
        order_id=order.log_id,
        subject=event.subject if event.subject is not None else order.subject,
        amount_cents=amount,
        cost_cents=0,
        lines=to_lines(goods),
        properties={"told_by": event.event_id},
    )


def _gain(order: Order, goods: Goods, amount: int) -> None:
    order.goods_cents += amount
    order.ordered = add_goods(order.ordered, goods)


def _rename(event: Event, name: Name) -> Event:
    return event if event.name == name else msgspec.structs.replace(event, name=name.value)


def _read_orders(tx: Connection, order_ids: set[str], *, from_log: bool) -> dict[str, Order]:
    found = read_orders(tx, order_ids)
    rest = order_ids - found.keys()
    if rest and from_log:
        e = event_table.c
        keys = [(f"order:{order_id}",) for order_id in rest]
        told = fetch_typed(tx, [e.event_id], keys, [e.position, e.payload], only=NAMED)
        for position, payload in told:
            event = from_row(position, payload)
            if f"order:{event.order_id}" != event.event_id:
                continue  # a file named so an order that the log has under its id
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
            order.take_off(goods, amount)
            note_stated(order, event)
        else:
            _gain(order, goods, amount)
    return order
