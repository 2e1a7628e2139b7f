"""Kept lines become documents: an order, or what came back under one number."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from lingxi.i18n import minor_units
from lingxi.ingest.lines import COST, Lines
from lingxi.ingest.text import Mask, Text
from lingxi.schema import Line
from lingxi.store.tables import from_micros


@dataclass(frozen=True, eq=False)
class Document:
    """One order or one refund document. Amounts in minor units, as in ``schema.Event``.

    ``buyer`` is ``(kind, identifier)`` or nothing for a guest. ``index`` are its lines in the raw
    table; ``paid_back`` marks an order whose status says that all of it was refunded.
    ``suffix`` is empty but for a part that was mended later, when the rest was in the log.
    ``order_cost_cents`` is the share of the costs that columns of the whole order stated.
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
    paid_in: str | None = None
    paid_cents: int | None = None

    def as_part(self, suffix: str) -> "Document":
        """A further part of an order in the log, which has the order's own costs already."""
        cost = None if self.cost_cents is None else self.cost_cents - self.order_cost_cents
        return replace(self, suffix=suffix, cost_cents=cost, order_cost_cents=0)

    @property
    def key(self) -> str:
        """What makes the same document the same in two files."""
        return f"{'refund' if self.refund else 'order'}:{self.order_id}"

    @property
    def charge(self) -> bool:
        """Whether it holds costs alone: a fee, a correction by hand, a discount given later."""
        return not self.lines and self.cost_cents is not None


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


def build_documents(
    lines: Lines, paid_back: Mask, *, currency: str, digits: int, has_items: bool = True
) -> list[Document]:
    """Group kept lines by order number, sales and refunds apart, in the order of time.

    An order happened when its first line in the file did, and belongs to whom that line names.
    """
    group = lines.order.codes.astype(np.int64) * 2 + lines.refund
    order = np.lexsort((lines.index, group))
    group = group[order]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(group) else group
    cells = _read_cells(lines, order, float(10**digits))
    first = order[starts]
    heads = zip(
        lines.order.take(first).decode(),
        lines.refund[first].tolist(),
        lines.micros[first].tolist(),
        _buyers(lines.customer.take(first), lines.email.take(first)),
        lines.country.take(first).decode(),
        paid_back[first].tolist(),
        _round(lines.order_cost[first] * float(10**digits)).tolist(),
        strict=True,
    )
    ends = [*starts[1:].tolist(), len(order)]
    made = []
    for start, end, head in zip(starts.tolist(), ends, heads, strict=False):
        order_id, refund, micros, buyer, country, back, own_cost = head
        goods, amount, cost, mark = _add_up(cells, start, end, refund, has_items)
        paid_in, paid = _add_paid(cells, start, end, refund)
        if refund:
            own_cost = 0
        elif own_cost:
            cost = (cost or 0) + own_cost
            mark.append(("", 0, own_cost))
        made.append(
            Document(
                order_id=order_id or "",
                refund=refund,
                occurred_at=from_micros(micros),
                buyer=buyer,
                country=country,
                currency=currency,
                lines=tuple(_parts(cells, start, end, refund)),
                amount_cents=amount,
                cost_cents=cost,
                fingerprint=_fingerprint(micros, mark),
                index=lines.index[order[start:end]],
                paid_back=back and goods,
                order_cost_cents=own_cost,
                paid_in=paid_in,
                paid_cents=paid,
            )
        )
    made.sort(key=lambda d: (d.occurred_at, d.key))
    return made


def _read_cells(lines: Lines, order: NDArray[np.int64], scale: float) -> _Cells:
    quantity = lines.quantity[order]
    price = lines.price[order]
    return _Cells(
        item=lines.item.take(order).decode(),
        quantity=np.rint(quantity).astype(np.int64).tolist(),
        price=_round(price * scale).tolist(),
        amount=_round(quantity * price * scale).tolist(),
        cost=(lines.part[order] == COST).tolist(),
        paid_in=lines.paid_in.take(order).decode() if lines.paid_in.values else [],
        paid=(quantity * lines.paid[order]).tolist() if lines.paid_in.values else [],
    )


def _buyers(customer: Text, email: Text) -> Iterator[tuple[str, str] | None]:
    for own, mail in zip(customer.decode(), email.decode(), strict=True):
        yield ("user_id", own) if own is not None else ("email", mail) if mail else None


def _round(values: NDArray[np.float64]) -> NDArray[np.int64]:
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
    return first, int(_round(np.abs(paid) if refund else paid).sum())


def _fingerprint(micros: int, mark: list[tuple[str, int, int]]) -> str:
    text = repr((micros, sorted(mark)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
