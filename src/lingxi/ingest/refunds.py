"""Which order a refund belongs to.

The order that the refund's number names (C1001 → 1001), or that it shares its number with, goes
first. Then the same customer's latest earlier order with enough of the item not yet returned, one
at the same price before one at another. Where no single order has enough, the refund is split over
orders, latest first. What is left was bought before the data begins, and stays untied.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lingxi.ingest.documents import Document
from lingxi.ingest.words import named_order
from lingxi.schema import Line

Buyer = tuple[str, str] | None


@dataclass
class Bought:
    """Units of one item in one order, and how many of them have not come back."""

    order_id: str
    occurred_at: datetime
    price_cents: int | None
    left: int


@dataclass(frozen=True)
class Tied:
    """A refund document's lines, by the order they belong to; ``None`` for the untied ones."""

    document: Document
    by_order: dict[str | None, tuple[Line, ...]]

    @property
    def complete(self) -> bool:
        """Whether every unit found its order."""
        return None not in self.by_order

    @property
    def lines_tied(self) -> int:
        """Product lines of which every unit found its order."""
        return len(self.document.lines) - len(self.by_order.get(None, ()))


@dataclass
class Shelf:
    """What can still come back, by customer and item; only what some refund may ask for."""

    items: set[tuple[Buyer, str]] = field(default_factory=set)
    orders: set[str] = field(default_factory=set)
    bought: dict[tuple[Buyer, str], list[Bought]] = field(default_factory=dict)
    by_order: dict[tuple[str, str], list[Bought]] = field(default_factory=dict)

    @classmethod
    def for_refunds(cls, refunds: Iterable[Document]) -> "Shelf":
        """An empty shelf with room for what these refunds may ask for."""
        shelf = cls()
        for document in refunds:
            shelf.ask(document)
        return shelf

    def ask(self, refund: Document) -> None:
        """Make room for what a refund may ask for."""
        self.orders.update(filter(None, (refund.order_id, named_order(refund.order_id))))
        if refund.buyer is not None:
            self.items.update((refund.buyer, line.item_id) for line in refund.lines)

    def put(
        self, buyer: Buyer, order_id: str, occurred_at: datetime, lines: Iterable[Line]
    ) -> None:
        """Add an order's lines."""
        named = order_id in self.orders
        for line in lines:
            if not named and (buyer, line.item_id) not in self.items:
                continue
            entry = Bought(order_id, occurred_at, line.price_cents, line.quantity)
            if buyer is not None:
                self.bought.setdefault((buyer, line.item_id), []).append(entry)
            self.by_order.setdefault((order_id, line.item_id), []).append(entry)

    def take_back(self, order_id: str, lines: Iterable[Line]) -> None:
        """Note that units of an order have come back already."""
        for line in lines:
            wanted = line.quantity
            for entry in self.by_order.get((order_id, line.item_id), []):
                taken = min(entry.left, wanted)
                entry.left -= taken
                wanted -= taken

    def sort(self) -> None:
        """Put what each customer bought in the order of time, before anything is tied."""
        for entries in self.bought.values():
            entries.sort(key=lambda b: (b.occurred_at, b.order_id))


def tie_refunds(refunds: Sequence[Document], shelf: Shelf) -> list[Tied]:
    """Tie refund documents in the order of time; the shelf is emptied as units come back."""
    shelf.sort()
    return [tie_refund(document, shelf) for document in refunds]


def tie_refund(document: Document, shelf: Shelf) -> Tied:
    """Tie one refund to what a sorted shelf has left."""
    by_order: dict[str | None, list[Line]] = {}
    for line in document.lines:
        for order_id, part in _tie_line(document, line, shelf):
            by_order.setdefault(order_id, []).append(part)
    return Tied(document, {order: tuple(lines) for order, lines in by_order.items()})


def _tie_line(document: Document, line: Line, shelf: Shelf) -> list[tuple[str | None, Line]]:
    parts: list[tuple[str | None, Line]] = []
    wanted, done = line.quantity, 0
    for entry in _candidates(document, line, shelf):
        taken = min(entry.left, wanted - done)
        if taken <= 0:
            continue
        entry.left -= taken
        parts.append((entry.order_id, _share(line, done, done + taken)))
        done += taken
        if done == wanted:
            return parts
    parts.append((None, _share(line, done, wanted)))
    return parts


def _candidates(document: Document, line: Line, shelf: Shelf) -> list[Bought]:
    named = [document.order_id, named_order(document.order_id)]
    first = [
        entry
        for order_id in named
        if order_id is not None
        for entry in shelf.by_order.get((order_id, line.item_id), [])
        if entry.left > 0
    ]
    if document.buyer is None:
        return first
    earlier = [
        entry
        for entry in shelf.bought.get((document.buyer, line.item_id), [])
        if entry.left > 0 and entry.occurred_at <= document.occurred_at
    ]
    missing = line.quantity - sum(entry.left for entry in first)
    enough = [entry for entry in earlier if entry.left >= missing]
    same = [entry for entry in enough if entry.price_cents == line.price_cents]
    best = (same or enough)[-1:]
    return [*first, *best, *(e for e in reversed(earlier) if e not in best and e not in first)]


def _share(line: Line, start: int, end: int) -> Line:
    """Units ``start`` to ``end`` of a line, so that the shares' amounts add up to the line's."""
    if start == 0 and end == line.quantity:
        return line
    total = line.amount_cents or 0
    amount = total * end // line.quantity - total * start // line.quantity
    return Line(line.item_id, end - start, line.price_cents, amount)
