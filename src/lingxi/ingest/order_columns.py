"""Which column of an order file is which field, and whether that is enough to import it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from lingxi.errors import UnknownColumn
from lingxi.ingest.columns import missing_columns, recognise
from lingxi.ingest.raw import RawTable
from lingxi.ingest.synonyms import ORDER_FIELDS
from lingxi.ingest.text import Text

_CLOCK = re.compile(
    r"\s*(?:\d{1,2}[:.h时]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm])?|0(?:\.\d+)?)\s*"
)
"""A time of day, also as the part of a day that a spreadsheet keeps."""
_NEEDED = ("order", "item", "name", "quantity", "price", "time", "customer")
_AMOUNT = frozenset({"amount", "total"})
_SAMPLE = 200
_WHOLE_ORDERS = "One line an order, without items: --map customer=COLUMN,time=COLUMN,amount=COLUMN."


def choose_columns(raw: RawTable, stated: Mapping[str, str]) -> dict[str, str]:
    """Field → column for an order file.

    A file without any item column is read as one line an order, where the user maps the amount or
    no column is left that could be the item.

    Raises
    ------
    UnknownColumn
        If a needed field is not found or could be several columns.
    """
    mapping = _recognise(raw, stated, _NEEDED)
    if "price" not in mapping:
        mapping = _recognise(raw, stated, (*_NEEDED, "amount"))
    elif not _AMOUNT & set(stated):
        mapping.pop("amount", None)
    whole_orders = _has_whole_orders(raw, mapping, stated)
    if whole_orders:
        for field in ("quantity", "price", "shipping", "discount"):
            mapping.pop(field, None)
    missing = _find_missing(mapping, whole_orders)
    if missing:
        hint = _WHOLE_ORDERS if "item" in missing else ""
        raise missing_columns(raw.headers, mapping, missing, mapped=True, hint=hint)
    return mapping


def _recognise(raw: RawTable, stated: Mapping[str, str], needed: Sequence[str]) -> dict[str, str]:
    return recognise(
        raw.headers,
        ORDER_FIELDS,
        stated,
        same=raw.same,
        needed=needed,
        fits=lambda field, header: _fits(field, raw.columns[header]),
    )


def _has_whole_orders(raw: RawTable, mapping: Mapping[str, str], stated: Mapping[str, str]) -> bool:
    """Whether each line is an order without items: said so, or no column is left for them."""
    if "item" in mapping or "name" in mapping or "amount" not in mapping:
        return False
    return bool(_AMOUNT & set(stated)) or set(raw.headers) <= set(mapping.values())


def _fits(field: str, column: Text) -> bool:
    if field not in ("time", "clock"):
        return True
    sample = column.values[:_SAMPLE]
    clock = bool(sample) and all(_CLOCK.fullmatch(value) for value in sample)
    return clock == (field == "clock")


def _find_missing(mapping: Mapping[str, str], whole_orders: bool) -> list[str]:
    missing = []
    if "order" not in mapping and "customer" not in mapping and "email" not in mapping:
        missing.append("order")
    if "item" not in mapping and "name" not in mapping and not whole_orders:
        missing.append("item")
    if "price" not in mapping and "amount" not in mapping:
        missing.append("price")
    if "quantity" not in mapping and "amount" not in mapping:
        missing.append("quantity")
    if "time" not in mapping:
        missing.append("time")
    return missing


_CODE = re.compile(r"[A-Za-z]{3}")


def choose_currency(raw: RawTable, mapping: Mapping[str, str], stated: str, own: str) -> str:
    """The currency of the import: stated, else the shop's where the file has it, else the file's
    most frequent one, else the shop's."""
    if stated:
        return stated
    if "currency" not in mapping:
        return own
    column = raw.columns[mapping["currency"]]
    counts: Counter[str] = Counter()
    for cell in column.decode():
        if cell is not None and _CODE.fullmatch(cell.strip()):
            counts[cell.strip().upper()] += 1
    if not counts or own in counts:
        return own
    return counts.most_common(1)[0][0]


def refuse_unusable(raw: RawTable) -> None:
    """Refuse a file whose columns cannot be told apart.

    Raises
    ------
    UnknownColumn
        If there are fewer than two columns.
    """
    if len(raw.headers) < 2:
        raise UnknownColumn(
            f"The file has only one column ({raw.headers[0][:60]!r}). "
            "Name the delimiter with --delimiter, or choose another file."
        )
