"""The steps that set lines aside; each is one sentence of docs/cleaning.md."""

import re

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest.costs import is_ledger_text
from lingxi.ingest.dates import NO_TIME
from lingxi.ingest.lines import MOST_AMOUNT, PRODUCT, Lines
from lingxi.ingest.puts import find_other_currency
from lingxi.ingest.rules import Rules
from lingxi.ingest.text import Mask
from lingxi.ingest.words import (
    find_called_off,
    find_cancellations,
    find_notes,
    is_refund_kind,
    is_unfinished_status,
)

EARLIEST_MICROS = 631_152_000 * 10**6
"""1990-01-01: no online shop is older."""
MOST_UNITS = 10_000_000.0
MOST_PRICE = 10_000_000.0
_CURRENCY_CODE = re.compile(r"[A-Za-z]{3}")


def drop_exact_duplicate(lines: Lines, rules: Rules) -> Mask:
    """All cells equal an earlier line's; told apart only where the file has order numbers."""
    if "order" not in rules.has:
        return np.zeros(len(lines), dtype=np.bool_)
    groups = rules.raw.number_equal_rows()[lines.index]
    _, first = np.unique(groups, return_index=True)
    repeated = np.ones(len(lines), dtype=np.bool_)
    repeated[first] = False
    return repeated


def drop_missing_order(lines: Lines, _rules: Rules) -> Mask:
    """No order number, and none can be made."""
    return lines.order.missing


def drop_missing_item(lines: Lines, rules: Rules) -> Mask:
    """Neither an item code nor a name, in a file that has items."""
    if not _has_items(rules):
        return np.zeros(len(lines), dtype=np.bool_)
    return lines.item.missing


def drop_missing_time(lines: Lines, _rules: Rules) -> Mask:
    """No date."""
    return _mask((lines.micros == NO_TIME) & lines.time_text.missing)


def drop_unreadable_time(lines: Lines, _rules: Rules) -> Mask:
    """A date that is none, or is not written as the rest of the column is."""
    return _mask(lines.micros == NO_TIME)


def drop_impossible_time(lines: Lines, rules: Rules) -> Mask:
    """Before 1990, or more than a day ahead of now."""
    return (lines.micros < EARLIEST_MICROS) | (lines.micros > rules.latest_micros)


def drop_unreadable_number(lines: Lines, _rules: Rules) -> Mask:
    """A quantity or a price that is not a number."""
    return lines.bad_number


def drop_missing_number(lines: Lines, _rules: Rules) -> Mask:
    """No quantity or no price."""
    return np.isnan(lines.quantity) | np.isnan(lines.price)


def drop_absurd_number(lines: Lines, _rules: Rules) -> Mask:
    """More units or more money than any order line holds."""
    return (
        (np.abs(lines.quantity) > MOST_UNITS)
        | (np.abs(lines.price) > MOST_PRICE)
        | (np.abs(lines.amount) > MOST_AMOUNT)
    )


def drop_missing_rate(lines: Lines, rules: Rules) -> Mask:
    """Money of another currency of which no rate is known on its day."""
    return find_other_currency(lines, rules)


def drop_other_currency(lines: Lines, rules: Rules) -> Mask:
    """Money of what looks like a currency and is none, which cannot be added to the rest."""

    def other(cell: str) -> bool:
        return _CURRENCY_CODE.fullmatch(cell) is not None and cell.upper() != rules.currency

    return lines.currency.where(other)


def drop_unfinished_order(lines: Lines, rules: Rules) -> Mask:
    """The order's status says that it was cancelled, failed or never paid.

    One that an earlier export had as sold stays: it is called off now, see ``put_refunded_order``.
    """
    unfinished = lines.status.where(is_unfinished_status) & (lines.quantity > 0)
    return unfinished & ~find_called_off(lines, rules.sold)


def drop_zero_quantity(lines: Lines, _rules: Rules) -> Mask:
    """Nothing was sold."""
    return _mask(lines.quantity == 0)


def drop_ledger_entry(lines: Lines, _rules: Rules) -> Mask:
    """Bookkeeping between accounts: a bad debt and its reversal."""
    return _mask(lines.name.where(is_ledger_text) & ~lines.buyer)


def drop_stock_adjustment(lines: Lines, rules: Rules) -> Mask:
    """Stock that left without an order: negative, no cancellation, and free or a stock note."""
    if not _has_items(rules):
        return np.zeros(len(lines), dtype=np.bool_)
    written_off = (lines.price == 0) | (~lines.buyer & find_notes(lines))
    returned = find_cancellations(lines) | lines.kind.where(is_refund_kind)
    return _mask((lines.quantity < 0) & ~returned & written_off)


def drop_zero_price(lines: Lines, rules: Rules) -> Mask:
    """Free of charge, or less than half of the currency's smallest coin in all."""
    if not _has_items(rules):
        return np.zeros(len(lines), dtype=np.bool_)
    smallest = 0.5 / float(10**rules.digits)
    return _mask((lines.price == 0) | (np.abs(lines.amount) < smallest))


def drop_negative_price(lines: Lines, _rules: Rules) -> Mask:
    """A product below nothing; a negative cost is a discount and stays."""
    returned = find_cancellations(lines) | lines.kind.where(is_refund_kind)
    return _mask((lines.price < 0) & (lines.part == PRODUCT) & ~returned)


def _mask(found: NDArray[np.bool_]) -> Mask:
    return np.asarray(found, dtype=np.bool_)


def _has_items(rules: Rules) -> bool:
    return bool(rules.has & {"item", "name"})
