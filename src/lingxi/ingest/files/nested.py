"""Records with records in them, as cells: JSON objects, Parquet columns of structs and lists."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from lingxi.ingest.raw import LONGEST_MISSING, is_missing
from lingxi.ingest.synonyms import ORDER_FIELDS, normalise_header
from lingxi.ingest.text import word_set

_WRAPPERS = ("properties", "context", "traits")
_LINES = word_set(
    "lineitems lines items orderlines orderitems products lineitem orderproducts contents rows "
    "商品 明细 订单明细"
)
_NUMBERS = frozenset(" ".join(ORDER_FIELDS["order"]).split())
_DEEPEST = 5
LINE = "line number"
"""The column of an order's lines by their place in it, so that two equal ones stay two."""


def spread(record: Mapping[str, object]) -> dict[str, object]:
    """A record in one level: what lies in ``properties``, ``context`` and ``traits`` comes up,
    other objects get names with points; lists stay lists.

    >>> spread({"id": 1, "customer": {"id": 7}, "properties": {"price": 5, "id": 2}})
    {'price': 5, 'id': 1, 'customer.id': 7}
    """
    flat: dict[str, object] = {}
    for name in _WRAPPERS:
        inner = record.get(name)
        if isinstance(inner, dict):
            flat.update(_level(inner, "", 0))
    flat.update(_level({k: v for k, v in record.items() if not _wraps(k, v)}, "", 0))
    return flat


def _wraps(name: str, value: object) -> bool:
    return name in _WRAPPERS and isinstance(value, dict)


def _level(record: Mapping[str, object], before: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in record.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _level(value, f"{name}.", depth + 1)
        elif value is not None and value != [] and value != {}:
            yield name, value


def explode(record: Mapping[str, object]) -> list[dict[str, object]]:
    """The lines of an order, each with the order's own fields; a record without a list is one line.

    A field that both have is the line's; the order's becomes ``order.<name>``.

    An ``id`` beside lines is the order's, where nothing else says its number.

    >>> explode({"id": 5, "lines": [{"sku": "A"}]})
    [{'order.id': 5, 'id': 5, 'line number': 1, 'sku': 'A'}]
    >>> explode({"id": 5, "lines": [{"sku": "A", "id": 1}, {"sku": "B", "id": 2}]})[1]
    {'order.id': 5, 'line number': 2, 'sku': 'B', 'id': 2}
    """
    found = next((k for k, v in record.items() if _is_lines(k, v)), None)
    if found is None:
        return [spread(record)]
    entries = [spread(entry) for entry in _as_objects(record[found])]
    own = spread({k: v for k, v in record.items() if k != found})
    clash = {name for entry in entries for name in entry}
    own = {f"order.{name}" if name in clash else name: value for name, value in own.items()}
    if "id" in own and not any(normalise_header(name) in _NUMBERS for name in own):
        own = {"order.id": own["id"], **own}
    return [{**own, LINE: place, **entry} for place, entry in enumerate(entries, start=1)]


def _is_lines(name: str, value: object) -> bool:
    return normalise_header(name) in _LINES and bool(_as_objects(value))


def _as_objects(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def to_plain(value: object) -> object:
    """A value of Parquet as JSON has it: moments in ISO 8601, decimals as text, bytes left out."""
    if isinstance(value, float):
        return None if not math.isfinite(value) else int(value) if value.is_integer() else value
    if isinstance(value, datetime):
        text = value.isoformat(sep=" ")
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, dict):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
            return {str(key): to_plain(inner) for key, inner in value}  # a map of Arrow
        return [to_plain(inner) for inner in value]
    return None if isinstance(value, bytes) else value


def to_cell(value: object) -> str | None:
    """A value as the cell of a table; nothing for one that says that there is none.

    >>> to_cell(True), to_cell(2.5), to_cell(["Home", "Lamps"]), to_cell("NULL")
    ('true', '2.5', 'Home > Lamps', None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        return None if len(value) <= LONGEST_MISSING and is_missing(value) else value
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        text = " > ".join(to_cell(each) or "" for each in value)
    else:
        text = msgspec.json.encode(value).decode()
    return None if is_missing(text) else text


def to_cells(flat: Mapping[str, object]) -> dict[str, str]:
    """A record in one level as cells, without those that are missing."""
    cells = ((str(name), to_cell(value)) for name, value in flat.items())
    return {name: cell for name, cell in cells if cell is not None}


def list_headers(records: Iterable[Mapping[str, object]]) -> list[str]:
    """The names that records have, in the order they are met."""
    return list(dict.fromkeys(name for record in records for name in record))
