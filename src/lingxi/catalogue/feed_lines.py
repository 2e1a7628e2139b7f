"""Lines of a catalogue file become changes of items; what cannot be read is set aside."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fractions import Fraction

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from lingxi.catalogue.change import (
    MOST_ATTRIBUTES,
    MOST_STOCK,
    ItemChange,
    apply_change,
    check_url,
)
from lingxi.catalogue.write import Merge
from lingxi.errors import InvalidInput
from lingxi.i18n import is_currency, minor_units
from lingxi.ingest import DropReason
from lingxi.ingest.numbers import choose_decimal_mark, parse_numbers
from lingxi.ingest.puts import tidy, tidy_id
from lingxi.ingest.rates import Rate, convert, no_rates
from lingxi.ingest.raw import RawTable, map_cells
from lingxi.ingest.synonyms import ATTRIBUTE_FIELDS
from lingxi.ingest.text import Mask, Text
from lingxi.schema import Item, Scalar

_MONEY = ("price", "sale_price", "cost", "margin")
_NO = frozenset(["0", "false", "no", "n", "inactive", "draft", "archived", "off", "否", "下架"])
_OF_GROUP = ("name", "category", "taxonomy", "brand", "active", "image", "url")
_MOST = 1e9
_CODE = re.compile(r"(?<![A-Za-z])[A-Za-z]{3}(?![A-Za-z])")
_ALSO = {"RMB": "CNY"}
NESTED = "attributes."
"""What the columns of attributes begin with that an object of JSON holds."""
REGULAR_PRICE = "regular_price_cents"
"""The attribute that holds the price without the sale that is on."""


@dataclass(frozen=True)
class Terms:
    """What a file is read by: the shop's currency, that of amounts which name none, the rates, and
    the moment of import in the shop's time zone."""

    own: str
    currency: str
    now: datetime
    zone: tzinfo
    rate: Rate = no_rates


@dataclass(frozen=True, eq=False)
class Feed:
    """A catalogue file read: what to make of which item, and lines set aside by step and reason.

    ``listed`` are all codes of the file, also of lines set aside. ``converted`` and ``left_out``
    are lines with money of another currency, and with a value that cannot be used.
    """

    merges: dict[str, Merge]
    listed: frozenset[str]
    dropped: list[tuple[str, str, NDArray[np.int64]]]
    converted: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)


def read_feed(raw: RawTable, mapping: Mapping[str, str], terms: Terms) -> Feed:
    """Items of a catalogue; the last line of a code wins, unreadable lines are set aside."""
    code = map_cells(raw, mapping.get("item"), tidy_id)
    money = _read_money(raw, mapping, terms)
    numbers, bad = money.numbers, money.bad
    dropped: list[tuple[str, str, NDArray[np.int64]]] = []
    keep = np.ones(len(raw), dtype=np.bool_)

    def drop(step: str, reason: DropReason, mask: Mask) -> None:
        nonlocal keep
        index = np.flatnonzero(mask & keep)
        keep &= ~mask
        if len(index):
            dropped.append((step, reason.value, index))

    drop("drop_missing_item", DropReason.ITEM_MISSING, code.missing)
    drop("drop_unreadable_number", DropReason.NUMBER_UNREADABLE, bad)
    absurd = np.zeros(len(raw), dtype=np.bool_)
    for name in (*_MONEY, "stock"):
        absurd |= np.nan_to_num(np.abs(numbers[name])) > _MOST
    drop("drop_absurd_number", DropReason.NUMBER_ABSURD, absurd)
    below = np.nan_to_num(numbers["price"]) < 0
    for name in ("sale_price", "cost"):
        below |= np.nan_to_num(numbers[name]) < 0
    drop("drop_negative_price", DropReason.PRICE_NEGATIVE, below)
    drop("drop_other_currency", DropReason.CURRENCY_OTHER, money.unknown)
    drop("drop_missing_rate", DropReason.CURRENCY_RATE_MISSING, money.without_rate)
    last = {int(code.codes[i]): i for i in np.flatnonzero(keep).tolist()}
    latest = np.zeros(len(raw), dtype=np.bool_)
    latest[list(last.values())] = True
    drop("drop_repeated_item", DropReason.ITEM_REPEATED, ~latest)
    feed = Feed({}, frozenset(code.values), dropped)
    feed.converted.extend(np.flatnonzero(keep & money.foreign).tolist())
    _add_changes(feed, raw, mapping, money, np.flatnonzero(keep), terms)
    return feed


@dataclass(frozen=True, eq=False)
class _Money:
    """Numbers by field, NaN where there is none; ``cents`` makes minor units of a line's money."""

    numbers: dict[str, NDArray[np.float64]]
    bad: Mask
    unknown: Mask
    without_rate: Mask
    foreign: Mask
    cents: Callable[[str, int], int | None]


def _read_money(raw: RawTable, mapping: Mapping[str, str], terms: Terms) -> _Money:
    fields = (*_MONEY, "stock")
    own = [name for name in fields if name in mapping]
    mark = choose_decimal_mark(
        (cell for name in own for cell in raw.columns[mapping[name]].values),
        hint=raw.decimal_hint,
    )
    masks = {name: np.zeros(len(raw), np.bool_) for name in ("bad", "unknown", "rate", "foreign")}
    numbers: dict[str, NDArray[np.float64]] = {}
    factors: dict[str, list[Fraction | None]] = {}
    codes: dict[str, list[int]] = {}
    for name in fields:
        column = map_cells(raw, mapping.get(name), lambda cell: cell)
        values, unreadable = parse_numbers(column.values, mark, each=True)
        numbers[name] = column.spread_numbers(values)
        masks["bad"] |= column.spread(unreadable)
        if name == "stock":
            continue
        said = [find_currency(cell) or terms.currency for cell in column.values]
        rates = {c: _find_rate(c, terms) for c in set(said)}
        factors[name], codes[name] = [rates[c] for c in said], column.codes.tolist()
        masks["unknown"] |= column.spread([not is_currency(c) for c in said])
        masks["rate"] |= column.spread([rates[c] is None for c in said])
        masks["foreign"] |= column.spread([c != terms.own for c in said])
    scale: int = 10 ** minor_units(terms.own)

    def cents(name: str, line: int) -> int | None:
        value = float(numbers[name][line])
        if np.isnan(value):
            return None
        factor = factors[name][codes[name][line]]
        if factor is None or factor == 1:
            return round(value * scale)
        return convert(value, factor * scale)

    return _Money(numbers, masks["bad"], masks["unknown"], masks["rate"], masks["foreign"], cents)


def find_currency(cell: str) -> str | None:
    """The currency's code in a price.

    >>> find_currency("9.50 GBP"), find_currency("RMB 12"), find_currency("£9.50")
    ('GBP', 'CNY', None)
    """
    found = _CODE.search(cell)
    if found is None:
        return None
    code = found[0].upper()
    return _ALSO.get(code, code)


def _find_rate(code: str, terms: Terms) -> Fraction | None:
    if code == terms.own:
        return Fraction(1)
    return terms.rate(code, terms.now.date()) if is_currency(code) else None


def _add_changes(
    feed: Feed,
    raw: RawTable,
    mapping: Mapping[str, str],
    money: _Money,
    lines: NDArray[np.int64],
    terms: Terms,
) -> None:
    text = {name: map_cells(raw, header, tidy) for name, header in mapping.items()}
    text["item"] = map_cells(raw, mapping["item"], tidy_id)
    for name in ("image", "url"):
        text[name] = map_cells(raw, mapping.get(name), str.strip)
    firsts = _list_firsts(text, len(raw))
    nested = {h.removeprefix(NESTED): h for h in raw.headers if h.startswith(NESTED)}
    for i in lines.tolist():
        cells = {name: column.get(i) for name, column in text.items()}
        if not cells.get("name"):
            first = firsts.get(cells.get("group") or "", {})
            cells |= {name: cells.get(name) or cell for name, cell in first.items()}
        line = _Line(cells, mapping)
        change = _to_change(line, money, i, terms)
        attributes: dict[str, Scalar] = {
            name: line.cells[name] for name in ATTRIBUTE_FIELDS if name in mapping
        }
        attributes |= {name: raw.columns[column].get(i) for name, column in nested.items()}
        if "sale_price" in mapping:
            price = money.cents("price", i)
            attributes[REGULAR_PRICE] = price if price != change.price_cents else None
        item_id = line.cells["item"] or ""
        feed.merges[item_id] = merge_line(item_id, change, attributes, terms.own)
        if line.left_out:
            feed.left_out.append(i)


def _list_firsts(text: Mapping[str, Text], n: int) -> dict[str, dict[str, str | None]]:
    """What the first named line of each group says of all its variants: exports of Shopify leave
    it out of the others."""
    firsts: dict[str, dict[str, str | None]] = {}
    if "group" not in text or "name" not in text:
        return firsts
    own = [name for name in _OF_GROUP if name in text]
    for i in range(n):
        group = text["group"].get(i)
        if group and group not in firsts and text["name"].get(i):
            firsts[group] = {name: text[name].get(i) for name in own}
    return firsts


def merge_line(
    item_id: str, change: ItemChange, attributes: Mapping[str, Scalar], currency: str
) -> Merge:
    """What a line makes of an item: its fields set, its attributes added to those known."""

    def merge(old: Item | None) -> Item:
        known = old or Item(item_id=item_id)
        if not attributes:
            return apply_change(known, change, currency)
        merged = {
            name: value
            for name, value in {**known.attributes, **attributes}.items()
            if value is not None
        }
        kept = dict(list(merged.items())[-MOST_ATTRIBUTES:])
        full = msgspec.structs.replace(change, attributes=kept)
        return apply_change(known, full, currency)

    return merge


@dataclass(frozen=True, eq=False)
class _Line:
    """The cells of one line by field; ``left_out`` names the fields that cannot be used."""

    cells: Mapping[str, str | None]
    mapping: Mapping[str, str]
    left_out: list[str] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        return self.cells.get(name)

    def link(self, name: str) -> str | None:
        cell = self.get(name)
        if not cell:
            return None
        try:
            return check_url(name, cell)
        except InvalidInput:
            self.left_out.append(name)
            return None

    def moment(self, name: str, zone: tzinfo) -> datetime | None:
        cell = self.get(name)
        if not cell:
            return None
        found = read_moment(cell, zone)
        if found is None:
            self.left_out.append(name)
        return found


def read_moment(cell: str, zone: tzinfo) -> datetime | None:
    """A moment in ISO 8601, in ``zone`` where it names none; nothing where it is none.

    >>> from datetime import UTC
    >>> read_moment("2026-02-24T11:07+0100", UTC).isoformat()
    '2026-02-24T11:07:00+01:00'
    >>> read_moment("soon", UTC) is None
    True
    """
    try:
        found = datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    if not 1990 <= found.year <= 9000:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


def _to_change(line: _Line, money: _Money, i: int, terms: Terms) -> ItemChange:
    has = line.mapping
    active = line.get("active")
    state = (line.get("availability") or "").lower().replace("_", " ")
    start, end = _read_window(line, state, terms.zone)
    windowed = any(name in has for name in ("available_from", "available_until"))
    priced = "price" in has or "sale_price" in has
    return ItemChange(
        name=line.get("name") if "name" in has else UNSET,
        category=_read_category(line) if "category" in has or "taxonomy" in has else UNSET,
        brand=line.get("brand") if "brand" in has else UNSET,
        price_cents=_choose_price(line, money, i, terms) if priced else UNSET,
        cost_cents=money.cents("cost", i) if "cost" in has else UNSET,
        margin_cents=money.cents("margin", i) if "margin" in has else UNSET,
        stock=_read_stock(state, float(money.numbers["stock"][i]))
        if "stock" in has or "availability" in has
        else UNSET,
        active=(active is None or active.lower() not in _NO) and state != "discontinued",
        image=line.link("image") if "image" in has else UNSET,
        url=line.link("url") if "url" in has else UNSET,
        available_from=start if windowed else UNSET,
        available_until=end if windowed else UNSET,
        group_id=line.get("group") if "group" in has else UNSET,
    )


def _read_category(line: _Line) -> str | None:
    """The shop's own path; else Google's, where it is words and not a number."""
    own = line.get("category")
    if own is None:
        given = line.get("taxonomy")
        own = None if given is None or given.isdecimal() else given
    return None if own is None else html.unescape(own)


def _choose_price(line: _Line, money: _Money, i: int, terms: Terms) -> int | None:
    """The sale's price while the sale is on and it is the lower one."""
    price, sale = money.cents("price", i), money.cents("sale_price", i)
    if sale is None or (price is not None and sale >= price):
        return price
    dates = line.get("sale_dates")
    if dates:
        first, _, last = dates.partition("/")
        start, end = read_moment(first, terms.zone), read_moment(last, terms.zone)
        if start is None or end is None:
            line.left_out.append("sale_dates")
            return price
        if not start <= terms.now < end:
            return price
    return sale


def _read_stock(state: str, quantity: float) -> int | None:
    """Units on hand; out of stock is 0 whatever the quantity, and what can be ordered ahead of its
    delivery is not out of stock."""
    if state == "out of stock":
        return 0
    if np.isnan(quantity) or state in ("preorder", "backorder"):
        return None
    return min(max(0, int(quantity)), MOST_STOCK)


def _read_window(line: _Line, state: str, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    start = None if state == "backorder" else line.moment("available_from", zone)
    end = line.moment("available_until", zone)
    if start is not None and end is not None and end <= start:
        line.left_out.append("available_until")
        return start, None
    return start, end
