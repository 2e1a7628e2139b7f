"""Cleaning: the steps in their order, and the proof that every line is accounted for."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lingxi.ingest import drops, puts
from lingxi.ingest.lines import Lines
from lingxi.ingest.reasons import DropReason as Drop
from lingxi.ingest.reasons import PutReason as Put
from lingxi.ingest.rules import Cleaned, DropStep, PutStep, Rules, Step, Touched

_SHOWN = 5
_LONGEST_SHOWN = 80

STEPS: tuple[Step, ...] = (
    DropStep("drop_exact_duplicate", Drop.EXACT_DUPLICATE, drops.drop_exact_duplicate),
    PutStep("put_text", Put.TEXT_TIDIED, puts.put_text),
    PutStep("put_guest", Put.GUEST_PLACEHOLDER, puts.put_guest),
    PutStep("put_order", Put.ORDER_FROM_CUSTOMER, puts.put_order),
    DropStep("drop_missing_order", Drop.ORDER_MISSING, drops.drop_missing_order),
    PutStep("put_order_values", Put.ORDER_VALUES_FILLED, puts.put_order_values),
    PutStep("put_order_costs", Put.ORDER_COSTS, puts.put_order_costs),
    PutStep("put_item_from_name", Put.ITEM_FROM_NAME, puts.put_item_from_name),
    DropStep("drop_missing_item", Drop.ITEM_MISSING, drops.drop_missing_item),
    PutStep("put_item_spelling", Put.TEXT_TIDIED, puts.put_item_spelling),
    DropStep("drop_missing_time", Drop.TIME_MISSING, drops.drop_missing_time),
    DropStep("drop_unreadable_time", Drop.TIME_UNREADABLE, drops.drop_unreadable_time),
    DropStep("drop_impossible_time", Drop.TIME_IMPOSSIBLE, drops.drop_impossible_time),
    DropStep("drop_unreadable_number", Drop.NUMBER_UNREADABLE, drops.drop_unreadable_number),
    DropStep("drop_missing_number", Drop.NUMBER_MISSING, drops.drop_missing_number),
    DropStep("drop_absurd_number", Drop.NUMBER_ABSURD, drops.drop_absurd_number),
    PutStep("put_currency", Put.CURRENCY_CONVERTED, puts.put_currency),
    DropStep("drop_missing_rate", Drop.CURRENCY_RATE_MISSING, drops.drop_missing_rate),
    DropStep("drop_other_currency", Drop.CURRENCY_OTHER, drops.drop_other_currency),
    DropStep("drop_unfinished_order", Drop.ORDER_NOT_COMPLETED, drops.drop_unfinished_order),
    DropStep("drop_zero_quantity", Drop.QUANTITY_ZERO, drops.drop_zero_quantity),
    PutStep("put_whole_quantity", Put.QUANTITY_FRACTION, puts.put_whole_quantity),
    PutStep("put_cost", Put.NON_PRODUCT, puts.put_cost),
    DropStep("drop_ledger_entry", Drop.LEDGER_ENTRY, drops.drop_ledger_entry),
    DropStep("drop_stock_adjustment", Drop.STOCK_ADJUSTMENT, drops.drop_stock_adjustment),
    DropStep("drop_zero_price", Drop.PRICE_ZERO, drops.drop_zero_price),
    DropStep("drop_negative_price", Drop.PRICE_NEGATIVE, drops.drop_negative_price),
    PutStep("put_refund", Put.REFUND, puts.put_refund),
    PutStep("put_refunded_order", Put.REFUNDED_ORDER, puts.put_refunded_order),
    PutStep("put_split", Put.ORDER_SPLIT, puts.put_split),
    PutStep("put_name", Put.NAME_FROM_ITEM, puts.put_name),
)
"""The order matters: a line is set aside for the first reason that holds."""


def clean(lines: Lines, rules: Rules, *, told: Callable[[str], None] | None = None) -> Cleaned:
    """Run every step over the lines; lines in = lines kept + lines set aside, by reason."""
    n_in = len(lines)
    touched: list[Touched] = []
    for step in STEPS:
        if told is not None:
            told(step.name)
        if isinstance(step, DropStep):
            mask = step.find(lines, rules)
            index = lines.index[mask]
            example = _example(lines, mask, rules, step.name)
            if len(index):
                lines = lines.filter(~mask)
            kept = False
        else:
            lines, mask = step.change(lines, rules)
            index = lines.index[mask]
            example = _example(lines, mask, rules, step.name)
            kept = True
        if len(index):
            touched.append(Touched(step.name, step.reason.value, kept, index, example))
    if n_in != len(lines) + sum(len(t.index) for t in touched if not t.kept):
        raise AssertionError("cleaning lost or doubled a line")
    return Cleaned(lines, tuple(touched))


def _example(lines: Lines, mask: NDArray[np.bool_], rules: Rules, step: str) -> str:
    """What a step touched, in a form a person recognises; nothing that names a customer."""
    places = np.flatnonzero(mask)
    if len(places) == 0:
        return ""
    if step == "put_cost":
        return list_codes(lines, mask)
    return describe(lines, int(places[0]), rules)


def describe(lines: Lines, place: int, rules: Rules) -> str:
    """One line as: row, order, item, description, quantity x price, date."""
    parts = [
        f"row {int(rules.raw.rows[lines.index[place]])}",
        lines.order.get(place),
        lines.item.get(place),
        lines.name.get(place),
        f"{lines.quantity[place]:g} x {lines.price[place]:g}",
        lines.time_text.get(place),
    ]
    return ", ".join(part[:_LONGEST_SHOWN] for part in parts if part)


def list_codes(lines: Lines, mask: NDArray[np.bool_], most: int = 60) -> str:
    """The item codes among some lines, the most frequent first, each with its lines."""
    codes, counts = np.unique(lines.item.codes[mask & ~lines.item.missing], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    listed = ", ".join(
        f"{lines.item.values[codes[i]][:_LONGEST_SHOWN]} ({counts[i]})" for i in order.tolist()
    )
    return listed + (f" and {len(codes) - most} more" if len(codes) > most else "")
