"""Kept lines become documents: an order, or what came back under one number."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from lingxi.i18n import minor_units
from lingxi.ingest.lines import COST, Lines
from lingxi.ingest.text import Mask
from lingxi.schema import Line
from lingxi.store.tables import from_micros

AT_ONCE = 1_000
"""Documents that are made at once."""


@dataclass(frozen=True, eq=False)
class Document:
    """One order or one refund document. Amounts in minor units, as in ``schema.Event``.

    ``buyer`` is ``(kind, identifier)`` or nothing for a guest. ``index`` are its lines in the raw
    table; ``paid_back`` marks an order whose status says that all of it was refunded.
    ``suffix`` is empty but for a part that was mended later, when the rest was in the log.
    ``order_cost_cents`` is the share of the costs that columns of the whole order stated, and
    ``refunded_cents`` what one said came back, of an order that has not come back whole.
    ``paid_in`` is the currency that the money was converted from, and ``paid_cents`` the goods in
    its minor units, nothing where the lines are of several currencies.
    """

    order_id: str
    refund: bool
    occurred_at: datetime
    buyer: tuple[str, str] | None
    country: str | None
    currency: str
    lines: tuple[Line, ...]
    amount_cents: int
    cost_cents: int | None
    fingerprint: str
    index: NDArray[np.int64]
    paid_back: bool = False
    suffix: str = ""
    order_cost_cents: int = 0
    refunded_cents: int = 0
    paid_in: str | None = None
    paid_cents: int | None = None

    def as_part(self, suffix: str) -> "Document":
        """A further part of an order in the log, which has the order's own costs already."""
        cost = None if self.cost_cents is None else self.cost_cents - self.order_cost_cents
        own = replace(self, suffix=suffix, cost_cents=cost, order_cost_cents=0)
        return replace(own, refunded_cents=0)

    @property
    def key(self) -> str:
        """What makes the same document the same in two files."""
        return name_key(self.order_id, self.refund)

    @property
    def charge(self) -> bool:
        """Whether it holds costs alone: a fee, a correction by hand, a discount given later."""
        return not self.lines and self.cost_cents is not None


_Head = tuple[str | None, bool, int, tuple[str, str] | None, str | None, bool, int, int]
"""Number, whether it is a refund, moment, buyer, country, whether all was paid back, the costs of
the whole order and the sum that is said to have been paid back."""


@dataclass(frozen=True, eq=False)
class _Cells:
    """The columns that building needs, as plain lists in the order of the documents."""

    item: list[str | None]
    quantity: list[int]
    price: list[int]
    amount: list[int]
    cost: list[bool]
    paid_in: list[str | None]
    paid: list[float]


@dataclass(frozen=True, eq=False)
class Documents:
    """The documents of a file, oldest first, as places in its lines: one is made when it is read.

    ``order`` are the places in ``lines``, document by document, of which each begins where
    ``starts`` says, the end last. ``refund``, ``buyer``, ``paid_back`` and ``refunded`` (in minor
    units) have an entry for each document; ``buyer`` is the code of a customer, or that of an
    e-mail address after all those, or -1. ``suffixes`` are those of documents that are parts, by
    place.
    """

    lines: Lines
    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    refund: Mask
    buyer: NDArray[np.int64]
    paid_back: Mask
    refunded: NDArray[np.int64]
    currency: str
    digits: int
    has_items: bool
    suffixes: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.refund)

    def __iter__(self) -> Iterator[Document]:
        return self.read(np.arange(len(self)))

    @property
    def first(self) -> NDArray[np.int64]:
        """The first line of each document, which says when it was and whose it is."""
        return self.order[self.starts[:-1]]

    def name_keys(self, places: NDArray[np.int64]) -> list[str]:
        """The keys of documents, as ``Document.key``."""
        numbers = self.lines.order.take(self.first_of(places)).decode()
        kinds = self.refund[places].tolist()
        return [name_key(number or "", kind) for number, kind in zip(numbers, kinds, strict=True)]

    def first_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first lines of some documents."""
        return self.order[self.starts[places]]

    def sizes_of(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many lines some documents have."""
        return self.starts[places + 1] - self.starts[places]

    def list_lines(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The lines of some documents, one after the other."""
        sizes = self.sizes_of(places)
        before = np.cumsum(sizes) - sizes
        within = np.arange(int(sizes.sum()), dtype=np.int64) - np.repeat(before, sizes)
        rows: NDArray[np.int64] = self.order[np.repeat(self.starts[places], sizes) + within]
        return rows

    def list_buyers(self, codes: Sequence[int]) -> list[tuple[str, str] | None]:
        """Who buyers are, by their codes."""
        customers, emails = self.lines.customer.values, self.lines.email.values
        n = len(customers)
        return [
            None if c < 0 else ("user_id", customers[c]) if c < n else ("email", emails[c - n])
            for c in codes
        ]

    def read(self, places: NDArray[np.int64]) -> Iterator[Document]:
        """Make some documents, a few at a time."""
        for start in range(0, len(places), AT_ONCE):
            yield from self._make(places[start : start + AT_ONCE])

    def _make(self, places: NDArray[np.int64]) -> Iterator[Document]:
        lines, rows = self.lines, self.list_lines(places)
        scale = float(10**self.digits)
        cells = _read_cells(lines, rows, scale)
        index = lines.index[rows]
        end = 0
        for place, size, head in self._read_heads(places, scale):
            order_id, refund, micros, buyer, country, back, own_cost, stated = head
            start, end = end, end + size
            _, amount, cost, mark = _add_up(cells, start, end, refund, self.has_items)
            paid_in, paid = _add_paid(cells, start, end, refund)
            if refund:
                own_cost = 0
            elif own_cost:
                cost = (cost or 0) + own_cost
                mark.append(("", 0, own_cost))
            made = Document(
                order_id=order_id or "",
                refund=refund,
                occurred_at=from_micros(micros),
                buyer=buyer,
                country=country,
                currency=self.currency,
                lines=tuple(_parts(cells, start, end, refund)),
                amount_cents=amount,
                cost_cents=cost,
                fingerprint=_fingerprint(micros, mark),
                index=index[start:end],
                paid_back=back,
                order_cost_cents=own_cost,
                refunded_cents=stated,
                paid_in=paid_in,
                paid_cents=paid,
            )
            suffix = self.suffixes.get(place)
            yield made if suffix is None else made.as_part(suffix)

    def _read_heads(
        self, places: NDArray[np.int64], scale: float
    ) -> Iterator[tuple[int, int, _Head]]:
        """What the first lines of some documents say; each one's place and number of lines."""
        lines, first = self.lines, self.first_of(places)
        heads: Iterator[_Head] = zip(
            lines.order.take(first).decode(),
            self.refund[places].tolist(),
            lines.micros[first].tolist(),
            self.list_buyers(self.buyer[places].tolist()),
            lines.country.take(first).decode(),
            self.paid_back[places].tolist(),
            round_half_up(lines.order_cost[first] * scale).tolist(),
            self.refunded[places].tolist(),
            strict=True,
        )
        return zip(places.tolist(), self.sizes_of(places).tolist(), heads, strict=True)


def name_key(order_id: str, refund: bool) -> str:
    """What makes the same document the same in two files."""
    return f"{'refund' if refund else 'order'}:{order_id}"


def build_documents(
    lines: Lines, paid_back: Mask, *, currency: str, digits: int, has_items: bool = True
) -> Documents:
    """Group kept lines by order number, sales and refunds apart, in the order of time.

    An order happened when its first line in the file did, and belongs to whom that line names.
    """
    order, starts = _group(lines)
    first = order[starts[:-1]]
    email = lines.email.apply(lambda address: address or None)
    customers = lines.customer.codes[first].astype(np.int64)
    emails = email.codes[first].astype(np.int64)
    by_mail = np.where(emails < 0, -1, emails + len(lines.customer.values))
    goods = lines.part[order] != COST
    if len(first):
        goods = np.logical_or.reduceat(goods, starts[:-1])
    whole, refunded = _judge_refunded(lines, order, starts, 10.0**digits)
    paid_back = (paid_back[first] | whole) & goods
    return Documents(
        lines=replace(lines, email=email),
        order=order,
        starts=starts,
        refund=lines.refund[first],
        buyer=np.where(customers < 0, by_mail, customers),
        paid_back=paid_back,
        refunded=np.where(goods & ~paid_back, refunded, 0),
        currency=currency,
        digits=digits,
        has_items=has_items,
    )


def _judge_refunded(
    lines: Lines, order: NDArray[np.int64], starts: NDArray[np.int64], scale: float
) -> tuple[Mask, NDArray[np.int64]]:
    """Which orders came back whole by what a column says came back, and that in minor units. Of an
    order that has lines of what came back, those say it."""
    first = order[starts[:-1]]
    number = lines.order.codes[first]
    told = np.isin(number, number[lines.refund[first]])
    refunded = np.where(told, 0, round_half_up(lines.refunded[first] * scale))
    if not refunded.any():
        return np.zeros(len(first), dtype=np.bool_), refunded
    amount = round_half_up(lines.quantity[order] * lines.price[order] * scale)
    worth = np.add.reduceat(amount, starts[:-1]) + round_half_up(lines.order_cost[first] * scale)
    return (refunded > 0) & (refunded >= worth), refunded


def _group(lines: Lines) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The lines document by document, and where each begins; by moment, then by key."""
    group = lines.order.codes.astype(np.int64) * 2 + lines.refund
    order = np.argsort(group, kind="stable")
    group = group[order]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(group) else group
    first, sizes = order[starts], np.diff(np.append(starts, len(order)))
    values = lines.order.values
    rank = np.full(len(values) + 1, -1, dtype=np.int64)
    rank[sorted(range(len(values)), key=values.__getitem__)] = np.arange(len(values))
    oldest = np.lexsort((rank[lines.order.codes[first]], lines.refund[first], lines.micros[first]))
    sizes, begin = sizes[oldest], starts[oldest]
    ends = np.cumsum(sizes)
    moved = np.repeat(begin - (ends - sizes), sizes) + np.arange(len(order), dtype=np.int64)
    return order[moved], np.append(0, ends).astype(np.int64)


def _read_cells(lines: Lines, order: NDArray[np.int64], scale: float) -> _Cells:
    quantity = lines.quantity[order]
    price = lines.price[order]
    return _Cells(
        item=lines.item.take(order).decode(),
        quantity=np.rint(quantity).astype(np.int64).tolist(),
        price=round_half_up(price * scale).tolist(),
        amount=round_half_up(quantity * price * scale).tolist(),
        cost=(lines.part[order] == COST).tolist(),
        paid_in=lines.paid_in.take(order).decode() if lines.paid_in.values else [],
        paid=(quantity * lines.paid[order]).tolist() if lines.paid_in.values else [],
    )


def round_half_up(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Half up, away from the noise of binary fractions: 2.675 is 267.5 cents and so 268."""
    shifted = np.round(np.abs(values), 6) + 0.5
    return np.asarray(np.copysign(np.floor(shifted), values), dtype=np.float64).astype(np.int64)


def _parts(cells: _Cells, start: int, end: int, refund: bool) -> Iterator[Line]:
    for i in range(start, end):
        item = cells.item[i]
        if item is not None and not cells.cost[i]:
            amount = abs(cells.amount[i]) if refund else cells.amount[i]
            yield Line(item, cells.quantity[i], abs(cells.price[i]), amount)


Sums = tuple[bool, int, int | None, list[tuple[str, int, int]]]


def _add_up(cells: _Cells, start: int, end: int, refund: bool, has_items: bool) -> Sums:
    amount, cost, costs = 0, 0, 0
    mark = []
    for i in range(start, end):
        mark.append(((cells.item[i] or "").casefold(), cells.quantity[i], cells.amount[i]))
        if cells.cost[i]:
            cost += cells.amount[i]
            costs += 1
        else:
            amount += abs(cells.amount[i]) if refund else cells.amount[i]
    goods = costs < end - start
    if refund and goods:
        # with goods coming back, a cost given back counts like them: positive
        cost = -cost
    return goods, amount, (cost if costs or has_items else None), mark


def _add_paid(cells: _Cells, start: int, end: int, refund: bool) -> tuple[str | None, int | None]:
    """The one currency that all goods were paid in before conversion, and what they came to."""
    if not cells.paid_in:
        return None, None
    goods = [i for i in range(start, end) if not cells.cost[i]]
    named = {cells.paid_in[i] for i in goods}
    first = next(iter(sorted(name for name in named if name is not None)), None)
    if first is None or len(named) > 1:
        return first, None
    scale = 10 ** minor_units(first)
    paid = np.array([cells.paid[i] for i in goods]) * scale
    return first, int(round_half_up(np.abs(paid) if refund else paid).sum())


def _fingerprint(micros: int, mark: list[tuple[str, int, int]]) -> str:
    text = repr((micros, sorted(mark)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
