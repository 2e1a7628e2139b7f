"""One order under two numbers: its platform's id, and the name that customers see.

Shopify's webhooks number an order 5001 and call it ``#1001``, WooCommerce's have an id and a
number; exports have the name alone. ``order_state`` keeps both. The log has an order under the
number that the first telling gave it. Names are no ids: two shops of one log may each have a
``#1001``, so what two tellings say of the goods has to agree too.
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from lingxi.ingest.goods import collect_goods, count_units, sum_goods
from lingxi.ingest.order_rows import Order, read_named, read_orders
from lingxi.schema import Event
from lingxi.store.codec import from_row
from lingxi.store.keyed import fetch_typed
from lingxi.store.tables import NAMED
from lingxi.store.tables import event as event_table

NAME = "order_name"
"""The property of a telling that has the name that customers see."""


def name_of(event: Event) -> str:
    """The name that a telling gives its order beside its number; empty where it has none."""
    name = event.properties.get(NAME)
    return name if isinstance(name, str) and name != event.order_id else ""


def is_same(order: Order, event: Event) -> bool:
    """Whether a telling of goods is of this order: goods in common, or as many for as much money
    where two sources name goods by other ids."""
    goods = collect_goods(event.lines)
    if order.ordered.keys() & goods.keys():
        return True
    worth = (count_units(goods), sum_goods(goods))
    return worth[1] > 0 and worth == (count_units(order.ordered), sum_goods(order.ordered))


def put_own_numbers(
    tx: Connection, events: Sequence[Event], orders: dict[str, Order], wanted: set[str]
) -> list[Event]:
    """A file's events, those of orders that messages told of before under the number that the log
    has; ``orders`` gets these orders."""
    named = read_named(tx, wanted)
    if not named:
        return list(events)
    found: dict[str, Order] = {}
    for name, candidates in named.items():
        order = _choose(tx, name, candidates, orders.get(name), events)
        if order is not None:
            found[name] = order
            orders[order.order_id] = orders[order.log_id] = order
    return [_rename(each, found) for each in events]


def _rename(event: Event, found: Mapping[str, Order]) -> Event:
    order = found.get(event.order_id or "")
    if order is None:
        return event
    subject = event.subject if order.subject is None else order.subject
    return msgspec.structs.replace(event, order_id=order.log_id, subject=subject)


def _choose(
    tx: Connection,
    name: str,
    candidates: Sequence[Order],
    numbered: Order | None,
    events: Sequence[Event],
) -> Order | None:
    """The order of this name that a file means; none where that is new or ``numbered`` so."""
    for order in candidates:
        if order.alias == name:
            return order
    told = next((e for e in events if e.order_id == name and e.lines), None)
    if told is not None:
        if numbered is not None and is_same(numbered, told):
            return None
        return next((order for order in candidates if is_same(order, told)), None)
    key, c = [(f"order:{name}",)], event_table.c
    rows = fetch_typed(tx, [c.event_id], key, [c.position, c.payload], only=NAMED)
    logged = {from_row(position, payload).order_id for position, payload in rows}
    return next((order for order in candidates if order.log_id in logged), None)


def list_numbers(tx: Connection, order_id: str) -> set[str]:
    """Every number of an order, by one of them; of a name that two orders have, that alone."""
    orders = [*read_orders(tx, {order_id}).values()]
    if not any(order.name for order in orders):
        orders = read_named(tx, {order_id}).get(order_id, orders)
    if len(orders) != 1 or not orders[0].name:
        return {order_id}
    (order,) = orders
    several = len(read_named(tx, {order.name})[order.name]) > 1
    return {order_id, order.log_id} if several else {order.order_id, order.name}


def is_gone(tx: Connection, order_id: str) -> bool:
    """Whether nothing of an order's goods is left with the customer, by any of its numbers."""
    told = read_orders(tx, list_numbers(tx, order_id)).values()
    orders = [order for order in told if order.name] or told
    sold = [order for order in orders if order.tellings and order.goods_cents > 0]
    return bool(sold) and not any(order.left_cents for order in sold)
