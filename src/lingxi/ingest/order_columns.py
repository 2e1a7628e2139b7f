"""Which column of an order file is which field, and whether that is enough to import it."""

import re
from collections import Counter
from collections.abc import Mapping

from lingxi.errors import UnknownColumn
from lingxi.ingest.columns import missing_columns, recognise
from lingxi.ingest.raw import RawTable
from lingxi.ingest.synonyms import ORDER_FIELDS
from lingxi.ingest.text import Text

_CLOCK = re.compile(r"\s*\d{1,2}[:.h时]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?\s*(?:[AaPp][Mm])?\s*")
_NEEDED = ("order", "item", "name", "quantity", "price", "amount", "time", "customer")
_SAMPLE = 200


def choose_columns(raw: RawTable, stated: Mapping[str, str]) -> dict[str, str]:
    """Field → column for an order file.

    A file without any item column is read as one line an order, where the user maps the amount or
    no column is left that could be the item.

    Raises
    ------
    UnknownColumn
        If a needed field is not found or could be several columns.
    """
    mapping = recognise(
        raw.headers,
        ORDER_FIELDS,
        stated,
        same=raw.same,
        needed=_NEEDED,
        fits=lambda field, header: _fits(field, raw.columns[header]),
    )
    if "item" not in mapping and "name" not in mapping:
        unused = [header for header in raw.headers if header not in mapping.values()]
        if "amount" in mapping and (not unused or {"amount", "total"} & set(stated)):
            for field in ("quantity", "price", "clock" if "clock" not in stated else ""):
                mapping.pop(field, None)
    missing = _find_missing(raw, mapping, stated)
    if missing:
        raise missing_columns(raw.headers, mapping, missing)
    return mapping


def _fits(field: str, column: Text) -> bool:
    if field not in ("time", "clock"):
        return True
    sample = column.values[:_SAMPLE]
    clock = bool(sample) and all(_CLOCK.fullmatch(value) for value in sample)
    return clock == (field == "clock")


def _find_missing(
    raw: RawTable, mapping: Mapping[str, str], stated: Mapping[str, str]
) -> list[str]:
    missing = []
    if "order" not in mapping and "customer" not in mapping and "email" not in mapping:
        missing.append("order")
    if "item" not in mapping and "name" not in mapping:
        unused = [header for header in raw.headers if header not in mapping.values()]
        whole_orders = "amount" in mapping and (not unused or {"amount", "total"} & set(stated))
        if not whole_orders:
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
