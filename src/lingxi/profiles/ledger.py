"""What was ordered and refunded by order: enough to tell which orders still stand.

A fully refunded order counts as no order: not in frequency, not in the last order's date. What was
sent back in full says nothing about what the customer wants or when they come again, and a shop
that counted it would thank someone for a purchase that never was. The refund itself stays in the
money. The rule is the same as that of the features, and it does not depend on the order of arrival.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from lingxi.schema import Event, Name
from lingxi.store.tables import to_micros

UNNUMBERED = ""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One order number: goods value, refunds, and how many orders at which moments (µs)."""

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


Ledger = Mapping[str, Entry]
_decode = msgspec.json.Decoder(dict[str, Entry]).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Standing:
    """The orders that stand, those cancelled, and when the first and last of the former were."""

    orders: int
    cancelled: int
    first_us: int | None
    last_us: int | None


def read_ledger(data: bytes) -> dict[str, Entry]:
    """The ledger from its column."""
    return _decode(data)


def write_ledger(ledger: Ledger) -> bytes:
    """The ledger for its column.

    >>> read_ledger(write_ledger({"A1": Entry(500, 0, 1, 7, 7)}))["A1"].ordered_cents
    500
    """
    return _encode(ledger)


def update_ledger(ledger: Ledger, event: Event) -> dict[str, Entry]:
    """The ledger after an order or a refund; other events change nothing."""
    updated = dict(ledger)
    if event.name == Name.ORDER_COMPLETED:
        number = event.order_id or UNNUMBERED
        updated[number] = _add_order(ledger.get(number, Entry()), event)
    elif event.name == Name.ORDER_REFUNDED and event.order_id:
        entry = ledger.get(event.order_id, Entry())
        refunded = entry.refunded_cents + (event.amount_cents or 0)
        updated[event.order_id] = msgspec.structs.replace(entry, refunded_cents=refunded)
    return updated


def _add_order(entry: Entry, event: Event) -> Entry:
    moment = to_micros(event.occurred_at)
    known = [x for x in (entry.ordered_cents, event.amount_cents) if x is not None]
    return Entry(
        ordered_cents=sum(known) if known else None,
        refunded_cents=entry.refunded_cents,
        orders=entry.orders + 1,
        first_us=min(moment, entry.first_us) if entry.orders else moment,
        last_us=max(moment, entry.last_us) if entry.orders else moment,
    )


def sum_ledger(ledger: Ledger) -> Standing:
    """Which orders stand.

    >>> sum_ledger({"A": Entry(500, 0, 1, 7, 7), "B": Entry(100, 100, 1, 9, 9)})
    Standing(orders=1, cancelled=1, first_us=7, last_us=7)
    """
    placed = [entry for entry in ledger.values() if entry.orders]
    kept = [entry for entry in placed if not entry.cancelled]
    return Standing(
        orders=sum(entry.orders for entry in kept),
        cancelled=sum(entry.orders for entry in placed) - sum(entry.orders for entry in kept),
        first_us=min((entry.first_us for entry in kept), default=None),
        last_us=max((entry.last_us for entry in kept), default=None),
    )
