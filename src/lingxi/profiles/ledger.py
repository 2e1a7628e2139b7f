"""What was ordered and refunded by order: enough to tell which orders still stand.

A fully refunded order counts as no order: not in frequency, not in the last order's date. What was
sent back in full says nothing about what the customer wants or when they come again, and a shop
that counted it would thank someone for a purchase that never was. The refund itself stays in the
money. The rule is the same as that of the features, and it does not depend on the order of arrival.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Dialect, LargeBinary, TypeDecorator

from lingxi.schema import Event, Name
from lingxi.store.tables import to_micros

UNNUMBERED = ""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One order number: goods value, refunds, and how many orders at which moments (µs).

    However many parts an order was told in, a number is one order, placed when its first part was.
    """

    ordered_cents: int | None = None
    refunded_cents: int = 0
    orders: int = 0
    first_us: int = 0
    last_us: int = 0

    @property
    def cancelled(self) -> bool:
        """Have refunds reached the goods value?

        >>> Entry(500, 500, 1).cancelled, Entry(500, 499, 1).cancelled, Entry(0, 0, 1).cancelled
        (True, False, False)
        """
        if self.ordered_cents is None or self.refunded_cents <= 0:
            return False
        return self.refunded_cents >= self.ordered_cents


_decode = msgspec.json.Decoder(dict[str, Entry]).decode
_encode = msgspec.json.Encoder().encode


class Standing(msgspec.Struct, frozen=True):
    """The orders that stand, those cancelled, and when the first and last of the former were."""

    orders: int
    cancelled: int
    first_us: int | None
    last_us: int | None


@dataclass
class Ledger:
    """A customer's order numbers with their entries, and what they come to.

    It is opened once for a batch of events and passes from row to row: adding an event costs the
    same whether the customer has two orders or two hundred thousand.

    >>> ledger = Ledger({"A": Entry(500, 0, 1, 7, 7), "B": Entry(100, 100, 1, 9, 9)})
    >>> ledger.standing
    Standing(orders=1, cancelled=1, first_us=7, last_us=7)
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    standing: Standing = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.standing = sum_entries(self.entries.values())

    def add(self, event: Event) -> None:
        """Enter an order or a refund; other events change nothing."""
        if event.name == Name.ORDER_COMPLETED:
            number = event.order_id or UNNUMBERED
            self._put(number, _add_order(self.entries.get(number, Entry()), event, number))
        elif event.name == Name.ORDER_REFUNDED and event.order_id:
            entry = self.entries.get(event.order_id, Entry())
            refunded = entry.refunded_cents + (event.amount_cents or 0)
            self._put(event.order_id, msgspec.structs.replace(entry, refunded_cents=refunded))

    def _put(self, number: str, entry: Entry) -> None:
        old = self.entries.get(number, Entry())
        self.entries[number] = entry
        moved = entry.last_us < old.last_us  # a part that is older arrived after the others
        if old.orders and not old.cancelled and (entry.cancelled or moved):
            self.standing = sum_entries(self.entries.values())  # its moments no longer count
            return
        now = self.standing
        moments = [] if entry.cancelled or not entry.orders else [entry.first_us, entry.last_us]
        moments += [us for us in (now.first_us, now.last_us) if us is not None]
        self.standing = Standing(
            orders=now.orders + _standing(entry) - _standing(old),
            cancelled=now.cancelled + _cancelled(entry) - _cancelled(old),
            first_us=min(moments, default=None),
            last_us=max(moments, default=None),
        )


class LedgerColumn(TypeDecorator[Ledger]):
    """A ledger, kept as JSON."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Ledger | None, _dialect: Dialect) -> bytes | None:
        return None if value is None else _encode(value.entries)

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> Ledger | None:
        return None if value is None else Ledger(_decode(value))


def _standing(entry: Entry) -> int:
    return 0 if entry.cancelled else entry.orders


def _cancelled(entry: Entry) -> int:
    return entry.orders if entry.cancelled else 0


def _add_order(entry: Entry, event: Event, number: str) -> Entry:
    moment = to_micros(event.occurred_at)
    known = [x for x in (entry.ordered_cents, event.amount_cents) if x is not None]
    first = min(moment, entry.first_us) if entry.orders else moment
    last = max(moment, entry.last_us) if entry.orders else moment
    return Entry(
        ordered_cents=sum(known) if known else None,
        refunded_cents=entry.refunded_cents,
        orders=entry.orders + 1 if number == UNNUMBERED else 1,
        first_us=first,
        last_us=last if number == UNNUMBERED else first,
    )


def sum_entries(entries: Iterable[Entry]) -> Standing:
    """Which orders stand.

    >>> sum_entries([Entry(500, 0, 1, 7, 7), Entry(100, 100, 1, 9, 9)]).orders
    1
    """
    placed = [entry for entry in entries if entry.orders]
    kept = [entry for entry in placed if not entry.cancelled]
    return Standing(
        orders=sum(entry.orders for entry in kept),
        cancelled=sum(map(_cancelled, placed)),
        first_us=min((entry.first_us for entry in kept), default=None),
        last_us=max((entry.last_us for entry in kept), default=None),
    )
