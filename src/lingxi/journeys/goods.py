"""Items that became cheaper or can be had again, and the customers who met them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from lingxi.catalogue.events import read_item_id
from lingxi.journeys.consume import FRESH
from lingxi.journeys.durations import read_duration
from lingxi.journeys.hands import Hands
from lingxi.journeys.occasions import AT_ONCE, Guest, choose_entrants, enter
from lingxi.journeys.trigger import BackInStockTrigger, Interest, PriceDropTrigger
from lingxi.journeys.versions import Live, list_live
from lingxi.profiles.tables import item_history
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.keyed import select_by_keys
from lingxi.store.log import log_position, read_events
from lingxi.store.tables import log_cursor

CURSOR = "journeys-items"
_READ = 2_000
_FAR = 2_000
_REACH = 50_000
"""Positions that one look goes through at most."""
_MOST_ITEMS = 20
_NAMES = (Name.ITEM_PRICE_CHANGED.value, Name.ITEM_STOCK_CHANGED.value)
Goods = PriceDropTrigger | BackInStockTrigger


def read_goods(store: Store, hands: Hands, now: datetime) -> int:
    """Read what the log tells of prices and stock, and begin the journeys that are for it.

    A customer begins once for all items of one reading. An interruption begins it again for those
    who have begun already, whom re-entry keeps out.
    """
    with store.read() as tx:
        after, last = _read_cursor(tx), log_position(tx)
        if last <= after:
            return 0
        reach = min(last, after + _REACH)
        events = read_events(tx, after=after, limit=_READ, names=_NAMES, upto=reach)
        live = [each for each in list_live(tx) if isinstance(each.journey.trigger, Goods)]
    if not events and last - after < _FAR and after:
        return 0
    fresh = [event for event in events if now - event.received_at <= FRESH]
    begun = 0
    for each in live:
        items = {
            read_item_id(event.event_id)
            for event in fresh
            if each.is_news(event) and fits(each, event)
        }
        if items:
            begun += _begin(store, hands, each, items, now)
    upto = events[-1].position if len(events) == _READ else reach
    with store.write() as tx:
        if _read_cursor(tx) == after:
            store.log.move_cursor(tx, CURSOR, upto)
    return max(1, begun)


def _read_cursor(tx: sa.Connection) -> int:
    query = sa.select(log_cursor.c.position).where(log_cursor.c.consumer == CURSOR)
    return tx.execute(query).scalar() or 0


def fits(live: Live, event: Event) -> bool:
    """Whether what happened to an item is what the journey is for."""
    old, new = event.properties.get("old"), event.properties.get("new")
    match live.journey.trigger:
        case PriceDropTrigger(least_share=least):
            if event.name != Name.ITEM_PRICE_CHANGED or not _is_number(old, new):
                return False
            return 0 < float(new or 0) <= float(old or 0) * (1 - least)
        case BackInStockTrigger():
            if event.name != Name.ITEM_STOCK_CHANGED or not _is_number(old, new):
                return False
            return float(old or 0) <= 0 < float(new or 0)
    return False


def _is_number(*values: object) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _begin(store: Store, hands: Hands, live: Live, items: Collection[str], now: datetime) -> int:
    guests = _find_guests(store, live, items, now)
    for start in range(0, len(guests), AT_ONCE):
        part = guests[start : start + AT_ONCE]
        entrants = choose_entrants(store, hands, live, part, now)
        with store.write() as tx:
            enter(store, tx, hands, live, entrants, now)
    return len(guests)


def _find_guests(
    store: Store, live: Live, items: Collection[str], now: datetime
) -> Sequence[Guest]:
    """Those who met one of the items lately, each with the items, the last met first."""
    trigger = live.journey.trigger
    assert isinstance(trigger, Goods)
    c = item_history.c
    met = sa.or_(*_list_signs(trigger.met))
    since = now - read_duration(trigger.within)
    wanted = [c.customer, c.item_id, c.last_at]
    keys = [(item_id,) for item_id in sorted(items)]
    found: dict[int, list[tuple[datetime, str]]] = {}
    with store.read() as tx:
        query = select_by_keys(tx, [c.item_id], keys, wanted).where(c.last_at >= since, met)
        for customer, item_id, last_at in tx.execute(query):
            found.setdefault(customer, []).append((last_at, item_id))
    return [
        Guest(
            customer=customer,
            context={"items": [item for _, item in sorted(rows, reverse=True)][:_MOST_ITEMS]},
        )
        for customer, rows in sorted(found.items())
    ]


def _list_signs(met: Iterable[Interest]) -> list[sa.ColumnElement[bool]]:
    """Wishes are counted with carts, which say as much."""
    c = item_history.c
    signs = {
        Interest.VIEWED: c.views > 0,
        Interest.CARTED: c.carts > 0,
        Interest.WISHED: c.carts > 0,
        Interest.BOUGHT: c.orders > 0,
    }
    return [signs[each] for each in met]
