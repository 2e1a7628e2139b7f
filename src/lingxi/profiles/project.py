"""From events to rows, purely: the profile and the history with each item.

Every column is a sum, a least or a greatest value, or a function of those: the order in which
events arrive does not matter, only when they happened.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import Table

from lingxi.profiles.ledger import Ledger
from lingxi.profiles.tables import customer_profile, item_history
from lingxi.schema import SYSTEM_EVENTS, Event, Line, Name
from lingxi.store import Projection
from lingxi.store.tables import from_micros

Key = tuple[int | str, ...]
Row = Mapping[str, object]

_COUNTERS = {
    Name.PRODUCT_VIEWED: "views",
    Name.PRODUCT_ADDED: "carts",
    Name.PRODUCTS_SEARCHED: "searches",
    Name.ORDER_REFUNDED: "refunds",
}
_MONEY = (Name.ORDER_COMPLETED, Name.ORDER_REFUNDED)
_ITEM_EVENTS = (Name.PRODUCT_VIEWED, Name.PRODUCT_ADDED, *_MONEY)


class CustomerProfileProjection:
    """One row a customer: counts, money, moments, country."""

    name = "customer_profile"
    table: Table = customer_profile

    def keys(self, event: Event, customer: int, /) -> Iterable[Key]:
        """The customer, unless the event is one of the system's own."""
        return () if event.name in SYSTEM_EVENTS else ((customer,),)

    def update(self, row: Row | None, event: Event, _customer: int, _key: Key, /) -> Row:
        """The profile after one event more."""
        new = dict(row) if row is not None else _start_profile(event.occurred_at)
        _add(new, "events", 1)
        new["first_seen_at"] = min(cast(datetime, new["first_seen_at"]), event.occurred_at)
        new["last_seen_at"] = max(cast(datetime, new["last_seen_at"]), event.occurred_at)
        counter = _COUNTERS.get(cast(Name, event.name))
        if counter is not None:
            _add(new, counter, 1)
        if event.country is not None:
            _put_country(new, event.country, event.occurred_at)
        if event.name in _MONEY:
            _put_money(new, event)
        return new


def _start_profile(moment: datetime) -> dict[str, object]:
    counts = ("events", "views", "carts", "searches", "orders", "cancelled_orders", "refunds")
    return {
        **dict.fromkeys(counts, 0),
        "revenue_cents": 0,
        "refund_cents": 0,
        "first_seen_at": moment,
        "last_seen_at": moment,
        "first_order_at": None,
        "last_order_at": None,
        "country": None,
        "country_at": None,
        "ledger": Ledger(),
    }


def _add(row: dict[str, object], column: str, amount: int) -> None:
    row[column] = cast(int, row[column]) + amount


def _put_country(row: dict[str, object], country: str, moment: datetime) -> None:
    """The country of the latest event; of two at one moment the alphabetically first."""
    known = cast("datetime | None", row["country_at"])
    newer = known is None or moment > known
    if newer or (moment == known and country < cast(str, row["country"])):
        row["country"] = country
        row["country_at"] = moment


def _put_money(row: dict[str, object], event: Event) -> None:
    amount = event.amount_cents or 0
    if event.name == Name.ORDER_REFUNDED:
        _add(row, "refund_cents", amount)
        _add(row, "revenue_cents", -amount)
    else:
        _add(row, "revenue_cents", amount)
    ledger = cast(Ledger, row["ledger"])
    ledger.add(event)
    standing = ledger.standing
    row["orders"] = standing.orders
    row["cancelled_orders"] = standing.cancelled
    row["first_order_at"] = _to_moment(standing.first_us)
    row["last_order_at"] = _to_moment(standing.last_us)


def _to_moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


class ItemHistoryProjection:
    """One row a customer and item: views, carts, orders, units, moments."""

    name = "item_history"
    table: Table = item_history

    def __init__(self) -> None:
        self._counted: tuple[Event | None, Mapping[str, int]] = (None, {})

    def keys(self, event: Event, customer: int, /) -> Iterable[Key]:
        """One key for each different item of the event."""
        if event.name not in _ITEM_EVENTS:
            return ()
        return [(customer, item_id) for item_id in self._count_units(event)]

    def update(self, row: Row | None, event: Event, _customer: int, key: Key, /) -> Row:
        """The history with one item after one event more."""
        new = dict(_NO_HISTORY if row is None else row)
        units = self._count_units(event)[cast(str, key[1])]
        if event.name == Name.ORDER_REFUNDED:
            _add(new, "returned", units)
            _add(new, "quantity", -units)
            return new
        _put_latest(new, "last_at", event.occurred_at)
        if event.name == Name.PRODUCT_VIEWED:
            _add(new, "views", 1)
        elif event.name == Name.PRODUCT_ADDED:
            _add(new, "carts", 1)
        else:
            _add(new, "orders", 1)
            _add(new, "quantity", units)
            _put_latest(new, "last_order_at", event.occurred_at)
        return new

    def _count_units(self, event: Event) -> Mapping[str, int]:
        """Units by item; remembered, for the items of one event come one after the other."""
        counted, units = self._counted
        if counted is not event:
            units = count_units(event.lines)
            self._counted = (event, units)
        return units


_NO_HISTORY: Row = {
    **dict.fromkeys(("views", "carts", "orders", "quantity", "returned"), 0),
    **dict.fromkeys(("last_at", "last_order_at")),
}


def count_units(lines: Iterable[Line]) -> dict[str, int]:
    """Units by item, over all lines.

    >>> count_units([Line("a", 2), Line("b"), Line("a", 3)])
    {'a': 5, 'b': 1}
    """
    units: dict[str, int] = {}
    for line in lines:
        units[line.item_id] = units.get(line.item_id, 0) + line.quantity
    return units


def _put_latest(row: dict[str, object], column: str, moment: datetime) -> None:
    known = row[column]
    if known is None or moment > cast(datetime, known):
        row[column] = moment


PROJECTIONS: tuple[Projection, ...] = (CustomerProfileProjection(), ItemHistoryProjection())
"""What the log keeps up to date in its own transaction; ``app`` hands them over."""
