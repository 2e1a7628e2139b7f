"""What a change of an item means: an event for each thing that is kept as history."""

import re
from datetime import datetime
from urllib.parse import quote

import msgspec

from lingxi.schema import Event, Item, Line, Name, Scalar

SOURCE = "catalogue"
_QUOTED = re.compile("(?:%[0-9A-F]{2})+")
_NAMES = {
    "added": Name.ITEM_ADDED,
    "removed": Name.ITEM_REMOVED,
    "price": Name.ITEM_PRICE_CHANGED,
    "stock": Name.ITEM_STOCK_CHANGED,
}


class Moments(msgspec.Struct, frozen=True):
    """When an item came to be, and when it came to be as it is; ``now`` when we learned of it."""

    added: datetime
    changed: datetime
    now: datetime


def prefix_of(item_id: str) -> str:
    """What the ids of an item's events begin with, and those of no other item.

    >>> prefix_of("A:1")
    'item:A%3A1:'
    """
    return f"item:{quote(item_id, safe='')}:"


def read_item_id(event_id: str) -> str:
    """The item that an event of ``list_changes`` is about.

    >>> read_item_id(prefix_of("A:1") + "000000000001:added")
    'A:1'
    """
    written = event_id.split(":")[1]
    return _QUOTED.sub(_read_quoted, written) if "%" in written else written


def _read_quoted(run: re.Match[str]) -> str:
    """A run of quoted bytes at once; the library's ``unquote`` goes byte by byte."""
    return bytes.fromhex(run[0].replace("%", "")).decode()


def list_changes(
    before: Item | None, after: Item, version: int, moments: Moments, currency: str
) -> list[Event]:
    """The events that make ``after`` of ``before``, none where neither sale, price nor stock moved.

    ``Item Added``: it is in the catalogue for the first time, or on sale again (``active``), at a
    price and with a stock. ``Item Removed``: it is no longer on sale. The other two have the
    properties ``old`` and ``new``, with none for unknown; the line's price is the new one.
    """
    found: list[Event] = []

    def add(kind: str, at: datetime, price: int | None, **properties: Scalar) -> None:
        found.append(
            Event(
                event_id=f"{prefix_of(after.item_id)}{version:012d}:{kind}",
                name=_NAMES[kind].value,
                occurred_at=at,
                received_at=moments.now,
                currency=None if price is None else currency,
                category=after.category,
                lines=(Line(item_id=after.item_id, price_cents=price),),
                properties=properties,
                source=SOURCE,
            )
        )

    price, stock = after.price_cents, after.stock
    if before is None:
        later = moments.added < moments.changed
        first = None if later else price
        add("added", moments.added, first, price_cents=first, stock=stock, active=after.active)
        if later and price is not None:
            add("price", moments.changed, price, old=None, new=price)
        return found
    if after.active and not before.active:
        add("added", moments.changed, price, price_cents=price, stock=stock, active=True)
    if before.active and not after.active:
        add("removed", moments.changed, price, price_cents=price, stock=stock)
    if before.price_cents != price:
        add("price", moments.changed, price, old=before.price_cents, new=price)
    if before.stock != stock:
        add("stock", moments.changed, price, old=before.stock, new=stock)
    return found
