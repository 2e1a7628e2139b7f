"""Order lines as typed columns, interpreted from a raw table but not yet judged."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.dates import NO_TIME, Moments, join_clock, read_moments
from lingxi.ingest.numbers import choose_decimal_mark, parse_numbers
from lingxi.ingest.raw import RawTable, map_cells
from lingxi.ingest.text import Mask, Text

PRODUCT, COST = 0, 1
MOST_AMOUNT = 1_000_000_000.0
"""More money than any order holds, major units."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Columns of equal length, one entry per line still in play.

    ``index`` points into the raw table. ``quantity`` and ``price`` (major units of the currency,
    price of one) are NaN where missing or unreadable; ``micros`` is UTC microseconds since 1970.
    ``paid_in`` and ``paid`` are the currency and the price of one as they were before conversion,
    missing and NaN where nothing was converted.
    ``part`` is PRODUCT or COST; ``refund`` marks what came back. ``order_cost`` is what columns of
    postage and discount say (a discount is negative), 0 where they say nothing; ``refunded`` is
    what a column says came back of the order in all.
    """

    index: NDArray[np.int64]
    order: Text
    item: Text
    name: Text
    customer: Text
    email: Text
    country: Text
    currency: Text
    status: Text
    kind: Text
    time_text: Text
    quantity: NDArray[np.float64]
    price: NDArray[np.float64]
    micros: NDArray[np.int64]
    bad_number: Mask
    part: NDArray[np.int8]
    refund: Mask
    order_cost: NDArray[np.float64]
    refunded: NDArray[np.float64]
    paid_in: Text
    paid: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.index)

    def filter(self, mask: Mask) -> "Lines":
        """The lines where ``mask`` holds."""
        return Lines(
            index=self.index[mask],
            order=self.order.filter(mask),
            item=self.item.filter(mask),
            name=self.name.filter(mask),
            customer=self.customer.filter(mask),
            email=self.email.filter(mask),
            country=self.country.filter(mask),
            currency=self.currency.filter(mask),
            status=self.status.filter(mask),
            kind=self.kind.filter(mask),
            time_text=self.time_text.filter(mask),
            quantity=self.quantity[mask],
            price=self.price[mask],
            micros=self.micros[mask],
            bad_number=self.bad_number[mask],
            part=self.part[mask],
            refund=self.refund[mask],
            order_cost=self.order_cost[mask],
            refunded=self.refunded[mask],
            paid_in=self.paid_in.filter(mask),
            paid=self.paid[mask],
        )

    @property
    def amount(self) -> NDArray[np.float64]:
        """Quantity times price, major units."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.quantity * self.price, dtype=np.float64)

    @property
    def buyer(self) -> Mask:
        """Where somebody is named: by customer id or by e-mail address."""
        return ~self.customer.missing | ~self.email.missing


@dataclass(frozen=True, eq=False)
class Reading:
    """How the file was read: the choices that the report states."""

    moments: Moments
    decimal_mark: str


def interpret(
    raw: RawTable,
    mapping: dict[str, str],
    zone: tzinfo,
    now: datetime,
    *,
    date_format: str | None = None,
    decimal_mark: str | None = None,
) -> tuple[Lines, Reading]:
    """Read every mapped column; nothing is dropped here."""
    n_lines = len(raw)
    text = {field: map_cells(raw, mapping.get(field), lambda cell: cell) for field in _TEXTS}
    time_text = _join_clock(raw, mapping)
    moments = read_moments(time_text, zone, now, date_format)
    numeric = [f for f in ("quantity", "price", "amount") if f in mapping]
    mark = decimal_mark or choose_decimal_mark(
        (cell for field in numeric for cell in raw.columns[mapping[field]].values),
        hint=raw.decimal_hint,
    )
    numbers = {field: _numbers(raw, mapping.get(field), mark) for field in _NUMERIC}
    quantity, price, bad = _fill_numbers(numbers, mapping)
    lines = Lines(
        index=np.arange(n_lines, dtype=np.int64),
        time_text=time_text,
        quantity=quantity,
        price=price,
        micros=np.append(moments.micros, NO_TIME)[time_text.codes],
        bad_number=bad,
        part=np.full(n_lines, PRODUCT, dtype=np.int8),
        refund=np.zeros(n_lines, dtype=np.bool_),
        order_cost=_read_order_values(raw, mapping, mark, text["order"], _COSTS),
        refunded=np.abs(_read_order_values(raw, mapping, mark, text["order"], _REFUNDED)),
        paid_in=Text.empty(n_lines),
        paid=np.full(n_lines, np.nan),
        **text,
    )
    return lines, Reading(moments, mark)


_TEXTS = ("order", "item", "name", "customer", "email", "country", "currency", "status", "kind")
_NUMERIC = ("quantity", "price", "amount")
Numbers = tuple[NDArray[np.float64], Mask]


def _numbers(raw: RawTable, header: str | None, mark: str) -> Numbers:
    column = map_cells(raw, header, lambda cell: cell)
    values, bad = parse_numbers(column.values, mark)
    return column.spread_numbers(values), column.spread(bad)


_COSTS = (("shipping", 1.0), ("discount", -1.0))
_REFUNDED = (("refunded", -1.0),)


def _read_order_values(
    raw: RawTable,
    mapping: dict[str, str],
    mark: str,
    order: Text,
    fields: tuple[tuple[str, float], ...],
) -> NDArray[np.float64]:
    """What each line adds to the costs of its order, or to what came back of it.

    Exports write an order's postage on each of its lines, or on the first alone. Where no order of
    the file has two different values, a value is the order's and counts once, on its first line.
    """
    cost = np.zeros(len(raw), dtype=np.float64)
    for field, sign in fields:
        if field not in mapping:
            continue
        found, _ = _numbers(raw, mapping[field], mark)
        value = np.where(np.abs(found) <= MOST_AMOUNT, found, np.nan)
        value = value if sign > 0 else sign * np.abs(value)
        there = np.flatnonzero(~np.isnan(value))
        _, first = np.unique(order.codes[there], return_index=True)
        pairs = np.unique(np.column_stack([order.codes[there], value[there]]), axis=0)
        own = there if len(pairs) > len(first) else there[first]
        own = own[~order.missing[own]]
        cost[own] += value[own]
    return cost


def _fill_numbers(
    numbers: dict[str, Numbers], mapping: dict[str, str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], Mask]:
    """Without a quantity column every line is one; without a price, price = amount / quantity."""
    (quantity, bad_q), (price, bad_p), (amount, bad_a) = (numbers[f] for f in _NUMERIC)
    if "quantity" not in mapping:
        quantity = np.where(amount < 0, -1.0, 1.0)
    if "price" not in mapping:
        with np.errstate(divide="ignore", invalid="ignore"):
            price = np.where(quantity == 0, amount, amount / quantity)
        # a line can carry its sign twice: -2 pieces for -10.00, or once: -2 pieces for 10.00
        price = np.where((quantity < 0) & (amount > 0), -price, price)
        return quantity, price, bad_q | bad_a
    return quantity, price, bad_q | bad_p


def _join_clock(raw: RawTable, mapping: dict[str, str]) -> Text:
    day = map_cells(raw, mapping.get("time"), str.strip)
    if "clock" not in mapping:
        return day
    clock = map_cells(raw, mapping["clock"], str.strip)
    both = [
        join_clock(d, c) if d is not None and c is not None else d
        for d, c in zip(day.decode(), clock.decode(), strict=True)
    ]
    return Text.of(both)
