"""From events to rows, purely: the profile and the history with each item.

Every column is a sum, a least or a greatest value, or a function of those: the order in which
events arrive does not matter, only when they happened.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Table, case

from lingxi.profiles.ledger import Ledger
from lingxi.profiles.tables import customer_profile, item_history
from lingxi.schema import SYSTEM_EVENTS, Event, Line, Name
from lingxi.store import Projection
from lingxi.store.adding import Columns, greatest, least
from lingxi.store.projection import Pairs
from lingxi.store.tables import from_micros, to_micros

Key = tuple[int | str, ...]
Row = Mapping[str, object]
Tuple = tuple[object, ...]

_COUNTERS: Mapping[str, str] = {
    Name.PRODUCT_VIEWED: "views",
    Name.PRODUCT_ADDED: "carts",
    Name.PRODUCTS_SEARCHED: "searches",
    Name.ORDER_REFUNDED: "refunds",
}
_MONEY = frozenset({Name.ORDER_COMPLETED, Name.ORDER_REFUNDED})
_OF_MONEY = (
    "orders",
    "cancelled_orders",
    "revenue_cents",
    "refund_cents",
    "first_order_at",
    "last_order_at",
)
CHANGED_BY: Mapping[str, frozenset[str]] = {
    **{column: frozenset({str(name)}) for name, column in _COUNTERS.items()},
    **dict.fromkeys(_OF_MONEY, frozenset(name.value for name in _MONEY)),
}
"""The events that change a column of the profile; columns that are not named change with any."""
_WANTED = frozenset({Name.PRODUCT_ADDED, Name.WISH_ADDED})
_ITEM_EVENTS = _MONEY | _WANTED | {Name.PRODUCT_VIEWED}
_VIEWED, _ADDED = Name.PRODUCT_VIEWED.value, Name.PRODUCT_ADDED.value
_SEARCHED, _REFUNDED = Name.PRODUCTS_SEARCHED.value, Name.ORDER_REFUNDED.value
_SYSTEM = frozenset(SYSTEM_EVENTS)


class CustomerProfileProjection:
    """One row a customer: counts, money, moments, country."""

    name = "customer_profile"
    table: Table = customer_profile

    def add_up(self, pairs: Pairs, /) -> tuple[Sequence[Tuple], Pairs]:
        """The rows of customers without orders and refunds in these events."""
        money = {customer for event, customer in pairs if event.name in _MONEY}
        left = []
        rows: dict[int, _Counts] = {}
        for event, customer in pairs:
            if customer in money:
                left.append((event, customer))
            elif event.name not in _SYSTEM:
                row = rows.get(customer)
                if row is None:
                    row = rows[customer] = _Counts(customer)
                _count(row, event)
        return [astuple(row) for row in rows.values()], left

    @staticmethod
    def merge(old: Columns, new: Columns) -> Columns:
        """Counts are added, moments compared; the country is the latest event's."""
        at, known = new["country_at"], old["country_at"]
        is_newer = known.is_(None) | (at > known)
        is_newer |= (at == known) & (new["country"] < old["country"])
        return {
            **{name: old[name] + new[name] for name in ("events", "views", "carts", "searches")},
            "first_seen_at": least(old["first_seen_at"], new["first_seen_at"]),
            "last_seen_at": greatest(old["last_seen_at"], new["last_seen_at"]),
            "country": case((is_newer, new["country"]), else_=old["country"]),
            "country_at": case((is_newer, at), else_=known),
        }

    def keys(self, event: Event, customer: int, /) -> Iterable[Key]:
        """The customer, unless the event is one of the system's own."""
        return () if event.name in _SYSTEM else ((customer,),)

    def update(self, row: Row | None, event: Event, _customer: int, _key: Key, /) -> Row:
        """The profile after one event more."""
        new = dict(row) if row is not None else _start_profile(event.occurred_at)
        _add(new, "events", 1)
        new["first_seen_at"] = min(cast(datetime, new["first_seen_at"]), event.occurred_at)
        new["last_seen_at"] = max(cast(datetime, new["last_seen_at"]), event.occurred_at)
        counter = _COUNTERS.get(event.name)
        if counter is not None:
            _add(new, counter, 1)
        if event.country is not None:
            _put_country(new, event.country, event.occurred_at)
        if event.name in _MONEY:
            _put_money(new, event)
        return new


class _Counts(msgspec.Struct, gc=False):
    """A row of ``customer_profile``, its columns in order, in the driver's forms."""

    customer: int
    events: int = 0
    views: int = 0
    carts: int = 0
    searches: int = 0
    orders: int = 0
    cancelled_orders: int = 0
    refunds: int = 0
    revenue_cents: int = 0
    refund_cents: int = 0
    first_seen_at: int = 0
    last_seen_at: int = 0
    first_order_at: int | None = None
    last_order_at: int | None = None
    country: str | None = None
    country_at: int | None = None
    ledger: bytes = b"{}"


def _count(row: _Counts, event: Event) -> None:
    """Add an event that moves no money."""
    at = to_micros(event.occurred_at)
    if not row.events:
        row.first_seen_at = row.last_seen_at = at
    elif at < row.first_seen_at:
        row.first_seen_at = at
    elif at > row.last_seen_at:
        row.last_seen_at = at
    row.events += 1
    name = event.name
    if name == _VIEWED:
        row.views += 1
    elif name == _ADDED:
        row.carts += 1
    elif name == _SEARCHED:
        row.searches += 1
    country, known = event.country, row.country_at
    if country is not None and (
        known is None or at > known or (at == known and country < (row.country or ""))
    ):
        row.country, row.country_at = country, at


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

    def add_up(self, pairs: Pairs, /) -> tuple[Sequence[Tuple], Pairs]:
        """The rows that these events make; none is left over."""
        rows: dict[tuple[int, str], _Interest] = {}
        for event, customer in pairs:
            if event.name in _ITEM_EVENTS:
                at = to_micros(event.occurred_at)
                for item_id, units in count_units(event.lines).items():
                    key = (customer, item_id)
                    row = rows.get(key)
                    if row is None:
                        row = rows[key] = _Interest(customer, item_id)
                    _note(row, event.name, units, at)
        return [astuple(row) for row in rows.values()], ()

    @staticmethod
    def merge(old: Columns, new: Columns) -> Columns:
        """Counts are added, moments compared."""
        counts = ("views", "carts", "orders", "quantity", "returned")
        moments = ("last_at", "last_order_at")
        return {
            **{name: old[name] + new[name] for name in counts},
            **{name: greatest(old[name], new[name]) for name in moments},
        }


class _Interest(msgspec.Struct, gc=False):
    """A row of ``item_history``, its columns in order, in the driver's forms."""

    customer: int
    item_id: str
    views: int = 0
    carts: int = 0
    orders: int = 0
    quantity: int = 0
    returned: int = 0
    last_at: int | None = None
    last_order_at: int | None = None


def _note(row: _Interest, name: str, units: int, at: int) -> None:
    """Add one event about the item."""
    if name == _REFUNDED:
        row.returned += units
        row.quantity -= units
        return
    if row.last_at is None or at > row.last_at:
        row.last_at = at
    if name == _VIEWED:
        row.views += 1
    elif name in _WANTED:
        row.carts += 1
    else:
        row.orders += 1
        row.quantity += units
        if row.last_order_at is None or at > row.last_order_at:
            row.last_order_at = at


def count_units(lines: Iterable[Line]) -> dict[str, int]:
    """Units by item, over all lines.

    >>> count_units([Line("a", 2), Line("b"), Line("a", 3)])
    {'a': 5, 'b': 1}
    """
    units: dict[str, int] = {}
    for line in lines:
        units[line.item_id] = units.get(line.item_id, 0) + line.quantity
    return units


PROJECTIONS: tuple[Projection, ...] = (CustomerProfileProjection(), ItemHistoryProjection())
"""What the log keeps up to date in its own transaction; ``app`` hands them over."""
