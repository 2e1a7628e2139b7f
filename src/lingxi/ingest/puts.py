"""The steps that change or mark lines and keep them."""

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lingxi.i18n import is_currency
from lingxi.ingest.costs import ItemFacts, is_cost_text, judge_costs
from lingxi.ingest.dates import NO_TIME
from lingxi.ingest.emails import read_email
from lingxi.ingest.lines import COST, Lines
from lingxi.ingest.rules import Rules
from lingxi.ingest.text import Mask, Text, group_lines
from lingxi.ingest.words import (
    find_called_off,
    find_cancellations,
    find_notes,
    find_usual_names,
    is_guest,
    is_refund_kind,
    is_refunded_status,
)

_DAY_MICROS = 86_400_000_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_LONGEST_ID = 200
_LONGEST_NAME = 500


def tidy(text: str, longest: int = _LONGEST_NAME) -> str | None:
    """One form for one text: Unicode NFC, control characters out, spaces single, ends trimmed.

    >>> tidy("  WHITE\\tMETAL  LANTERN ")
    'WHITE METAL LANTERN'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c for c in text if c.isprintable() or c.isspace())
    return " ".join(text.split())[:longest] or None


def tidy_id(text: str) -> str | None:
    """``tidy`` for identifiers, at most 200 characters long; a longer one ends in its hash, so
    that two that begin alike stay two."""
    if 0 < len(text) <= _LONGEST_ID and text.isascii() and text.isprintable() and " " not in text:
        return text
    whole = tidy(text, len(text))
    if whole is None or len(whole) <= _LONGEST_ID:
        return whole
    mark = hashlib.blake2b(whole.encode(), digest_size=8).hexdigest()
    return f"{whole[: _LONGEST_ID - 17]}~{mark}"


def unmark(text: str) -> str:
    """A number without the mark that keeps a spreadsheet from rounding it, as Shopify's exports of
    customers write it.

    >>> unmark("'6154498015379"), unmark("'+447911123456"), unmark("'t Hof")
    ('6154498015379', '+447911123456', "'t Hof")
    """
    return text[1:] if text[:1] == "'" and text[1:2] in _BEGINS_NUMBER and text[1:] else text


_BEGINS_NUMBER = frozenset("+0123456789")


def _tidy_number(text: str) -> str | None:
    return tidy_id(unmark(text))


def _tidy_email(text: str) -> str | None:
    return read_email(text) or (tidy_id(text) or "").lower() or None


def put_text(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """Trim and normalise every text; e-mail addresses in lower case."""
    changed = np.zeros(len(lines), dtype=np.bool_)
    done: dict[str, Text] = {}
    plan: tuple[tuple[str, Text, Callable[[str], str | None]], ...] = (
        ("order", lines.order, _tidy_number),
        ("item", lines.item, tidy_id),
        ("name", lines.name, tidy),
        ("customer", lines.customer, _tidy_number),
        ("email", lines.email, _tidy_email),
        ("country", lines.country, tidy_id),
        ("currency", lines.currency, tidy_id),
        ("status", lines.status, tidy_id),
        ("kind", lines.kind, tidy_id),
    )
    for field, column, change in plan:
        changed |= column.spread([change(value) != value for value in column.values])
        done[field] = column.apply(change)
    return (
        replace(
            lines,
            order=done["order"],
            item=done["item"],
            name=done["name"],
            customer=done["customer"],
            email=done["email"],
            country=done["country"],
            currency=done["currency"],
            status=done["status"],
            kind=done["kind"],
        ),
        changed,
    )


def put_guest(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """A customer id that says "nobody" becomes no customer; an address moves to the e-mails."""
    guests = lines.customer.where(is_guest)
    addresses = lines.customer.where(lambda value: "@" in value)
    email = lines.email
    if addresses.any():
        moved = lines.customer.apply(str.lower)
        email = email.fill(moved, addresses & email.missing)
    customer = lines.customer.apply(lambda v: None if is_guest(v) or "@" in v else v)
    no_mail = email.where(is_guest)
    email = email.apply(lambda v: None if is_guest(v) or "@" not in v else v)
    return replace(lines, customer=customer, email=email), guests | no_mail


def put_item_from_name(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """A line without an item code gets the code that others of its name have, else its name."""
    wanted = lines.item.missing & ~lines.name.missing
    if not wanted.any():
        return lines, wanted
    by_name = lines.item.usual(lines.name, ~lines.item.missing)
    known = Text(np.append(by_name.codes, -1)[lines.name.codes].astype(np.int32), by_name.values)
    item = lines.item.fill(known, wanted)
    item = item.fill(lines.name.apply(tidy_id), item.missing & wanted)
    return replace(lines, item=item), wanted


def put_item_spelling(lines: Lines, rules: Rules) -> tuple[Lines, Mask]:
    """85123a and 85123A are one item: the spelling known before, else the more frequent one."""
    values = lines.item.values
    present = lines.item.codes[~lines.item.missing]
    counts = np.bincount(present, minlength=len(values))
    best: dict[str, tuple[int, str]] = {}
    for value, count in zip(values, counts.tolist(), strict=True):
        rank = (-count, value)
        folded = value.casefold()
        if folded not in best or rank < best[folded]:
            best[folded] = rank

    def spell(value: str) -> str:
        folded = value.casefold()
        return rules.spelling(folded) or best[folded][1]

    changed = lines.item.spread([spell(value) != value for value in values])
    return replace(lines, item=lines.item.apply(spell)), changed


def put_order(lines: Lines, rules: Rules) -> tuple[Lines, Mask]:
    """Without order numbers, what one customer buys at one moment (or on one day) is an order."""
    if "order" in rules.has:
        return lines, np.zeros(len(lines), dtype=np.bool_)
    made = lines.buyer & (lines.micros != NO_TIME)
    keys: list[str | None] = []
    sealed: dict[str, str] = {}
    cells = zip(
        lines.customer.decode(), lines.email.decode(), lines.micros.tolist(), made, strict=True
    )
    for customer, email, micros, good in cells:
        if not good:
            keys.append(None)
            continue
        who = f"{customer or email}@{micros}"
        if who not in sealed:
            sealed[who] = "made-" + rules.seal(who)[:24]
        keys.append(sealed[who])
    return replace(lines, order=Text.of(keys)), made


def put_order_values(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """Exports that write an order's customer, date or country on its first line only: fill the rest
    where the order has exactly one such value."""
    filled = np.zeros(len(lines), dtype=np.bool_)
    done: dict[str, Text] = {}
    for field in ("customer", "email", "country", "currency", "status"):
        column: Text = getattr(lines, field)
        only = _only_value(lines, column.codes.astype(np.int64), -1)
        put = column.missing & (only >= 0)
        if put.any():
            filled |= put
            column = Text(np.where(put, only, column.codes).astype(np.int32), column.values)
        done[field] = column
    undated = lines.time_text.missing & (lines.micros == NO_TIME)
    micros = _only_value(lines, lines.micros, NO_TIME) if undated.any() else lines.micros
    put = undated & (micros != NO_TIME)
    return (
        replace(
            lines,
            customer=done["customer"],
            email=done["email"],
            country=done["country"],
            currency=done["currency"],
            status=done["status"],
            micros=np.where(put, micros, lines.micros),
        ),
        filled | put,
    )


def _only_value(
    lines: Lines, values: np.ndarray[tuple[int], np.dtype[np.int64]], nothing: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each line, the one value of its order's lines; ``nothing`` where none or several."""
    n_orders = len(lines.order.values)
    low = np.full(n_orders + 1, np.iinfo(np.int64).max, dtype=np.int64)
    high = np.full(n_orders + 1, np.iinfo(np.int64).min, dtype=np.int64)
    there = (values != nothing) & ~lines.order.missing
    np.minimum.at(low, lines.order.codes[there], values[there])
    np.maximum.at(high, lines.order.codes[there], values[there])
    only = np.where(low == high, low, nothing)
    only[-1] = nothing
    return only[lines.order.codes]


def put_order_costs(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """Postage and discounts that the file has as columns are costs of the order, as what came back
    is of the whole order. Every line gets its order's sum, so that it stays when another line is
    set aside."""
    stated = (lines.order_cost != 0) | (lines.refunded != 0)

    def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(len(lines.order.values) + 1, dtype=np.float64)
        np.add.at(total, lines.order.codes, values)
        total[-1] = 0.0
        return total[lines.order.codes]

    costs, refunded = spread(lines.order_cost), spread(lines.refunded)
    return replace(lines, order_cost=costs, refunded=refunded), stated


def put_split(lines: Lines, rules: Rules) -> tuple[Lines, Mask]:
    """One order number with several customers is several orders."""
    who = group_lines([lines.customer.codes, lines.email.codes])
    n_orders = len(lines.order.values)
    there = lines.buyer & ~lines.order.missing
    low = np.full(n_orders + 1, np.iinfo(np.int64).max, dtype=np.int64)
    high = np.full(n_orders + 1, -1, dtype=np.int64)
    np.minimum.at(low, lines.order.codes[there], who[there])
    np.maximum.at(high, lines.order.codes[there], who[there])
    split = there & (low < high)[lines.order.codes]
    if not split.any():
        return lines, split
    cells = [
        f"{lines.order.get(i)}~{rules.seal(lines.customer.get(i) or lines.email.get(i) or '')[:8]}"
        for i in np.flatnonzero(split).tolist()
    ]
    spread: list[str | None] = [None] * len(lines)
    for place, cell in zip(np.flatnonzero(split).tolist(), cells, strict=True):
        spread[place] = cell
    _, first = np.unique(lines.order.codes, return_index=True)
    owner = np.append(np.zeros(n_orders, dtype=np.int64), 0)
    owner[lines.order.codes[first]] = who[first]
    # the costs of the order stay with the first of the customers
    other = split & (who != owner[lines.order.codes])
    return replace(
        lines,
        order=lines.order.fill(Text.of(spread), split),
        order_cost=np.where(other, 0.0, lines.order_cost),
        refunded=np.where(other, 0.0, lines.refunded),
    ), split


def put_whole_quantity(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """Goods by weight: part of a unit counts as a whole one, and the amount stays exact."""
    whole = np.copysign(np.ceil(np.abs(lines.quantity)), lines.quantity)
    part = np.isfinite(lines.quantity) & (whole != lines.quantity)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(part, lines.amount / whole, lines.price)
    return replace(lines, quantity=np.where(part, whole, lines.quantity), price=price), part


def put_cost(lines: Lines, rules: Rules) -> tuple[Lines, Mask]:
    """Postage, fees, discounts, samples and corrections are costs of the order, no products."""
    values = lines.item.values
    if not values:
        return lines, np.zeros(len(lines), dtype=np.bool_)
    if rules.judged is not None:
        known = lines.item.where(rules.judged) | lines.name.where(is_cost_text)
        return replace(lines, part=np.where(known, COST, lines.part).astype(np.int8)), known
    codes = lines.item.codes.astype(np.int64)
    pairs = group_lines([codes, np.rint(np.nan_to_num(lines.price) * 1e4).astype(np.int64)])
    _, first = np.unique(pairs, return_index=True)
    prices = np.bincount(codes[first][codes[first] >= 0], minlength=len(values))
    facts = ItemFacts(
        codes=values if "item" in rules.has else [""] * len(values),
        names=find_usual_names(lines).decode() if "name" in rules.has else list(values),
        lines=np.bincount(codes[codes >= 0], minlength=len(values)).astype(np.int64),
        prices=prices.astype(np.int64),
    )
    cost = lines.item.spread(judge_costs(facts))
    return replace(lines, part=np.where(cost, COST, lines.part).astype(np.int8)), cost


def put_currency(lines: Lines, rules: Rules) -> tuple[Lines, Mask]:
    """Money of another currency at the rate of its day; without a rate it stays what it is."""
    factors = np.full(len(lines), np.nan)
    other = find_other_currency(lines, rules)
    days = lines.micros // _DAY_MICROS
    for code in np.unique(lines.currency.codes[other]).tolist():
        currency = lines.currency.values[code].upper()
        own = other & (lines.currency.codes == code)
        for day in np.unique(days[own]).tolist():
            rate = rules.rate(currency, date.fromordinal(_EPOCH_ORDINAL + day))
            if rate is not None:
                factors[own & (days == day)] = float(rate)
    converted = np.asarray(~np.isnan(factors), dtype=np.bool_)
    if not converted.any():
        return lines, converted
    factors[~converted] = 1.0
    return replace(
        lines,
        price=lines.price * factors,
        order_cost=lines.order_cost * factors,
        refunded=lines.refunded * factors,
        paid_in=lines.paid_in.fill(lines.currency.apply(str.upper), converted),
        paid=np.where(converted, lines.price, lines.paid),
        currency=lines.currency.fill(Text.of([rules.currency] * len(lines)), converted),
    ), converted


def find_other_currency(lines: Lines, rules: Rules) -> Mask:
    """Lines whose money is in a currency, and not in the import's."""
    return lines.currency.where(
        lambda cell: cell.upper() != rules.currency and is_currency(cell.upper())
    )


def put_refund(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """What came back: cancellations, lines of the type "return", and priced negative quantities.

    Quantity and price become positive. A cost line of a sale that is negative is a discount and no
    refund.
    """
    returned = find_cancellations(lines) | lines.kind.where(is_refund_kind)
    refund = returned | ((lines.quantity < 0) & (lines.part != COST))
    quantity = np.where(refund & (lines.part != COST), np.abs(lines.quantity), lines.quantity)
    price = np.where(refund & (lines.part != COST), np.abs(lines.price), lines.price)
    return replace(lines, refund=refund, quantity=quantity, price=price), refund


def put_refunded_order(lines: Lines, rules: Rules) -> tuple[Lines, Mask]:
    """An order whose status says that all of it was paid back: a sale and its refund.

    So is one that is called off here and that an earlier export, or the shop itself, had sold.
    """
    back = lines.status.where(is_refunded_status) | find_called_off(lines, rules.sold)
    return lines, back & ~lines.refund


def put_name(lines: Lines, _rules: Rules) -> tuple[Lines, Mask]:
    """A missing description, or a stock keeper's note, becomes the item's usual description."""
    usual = find_usual_names(lines)
    own = Text(np.append(usual.codes, -1)[lines.item.codes].astype(np.int32), usual.values)
    wanted = (lines.name.missing | find_notes(lines)) & ~own.missing
    return replace(lines, name=lines.name.fill(own, wanted)), wanted
