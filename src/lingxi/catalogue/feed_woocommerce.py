"""WooCommerce's export of products (Products › Export), in the terms of any catalogue.

Source: WooCommerce, "Product CSV Importer and Exporter", schema of the CSV. Its ``Type`` is no
category, an item without SKU goes by its ID as in webhooks, a variation names its parent by SKU or
``id:12``, and one cell holds several categories or pictures.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lingxi.ingest.raw import RawTable
from lingxi.ingest.synonyms import normalise_header
from lingxi.ingest.text import Text

_OWN = frozenset({"id", "type", "sku", "name", "published", "regularprice", "instock"})
_COMMA = re.compile(r"(?<!\\),\s*")
_STATES = {"1": "in stock", "0": "out of stock", "backorder": "backorder"}
_READ = {
    "brands": "brand",
    "gtinupceanorisbn": "gtin",
    "saleprice": "sale_price",
    "stock": "stock",
    "name": "name",
}
"""Columns that are taken as they are, by what they are called here."""
Cells = Sequence[str | None]


def read_export(raw: RawTable) -> RawTable:
    """The table with columns that a catalogue has; another file as it is."""
    named = {normalise_header(header): header for header in reversed(raw.headers)}
    if not named.keys() >= _OWN:
        return raw
    said = {word: raw.columns[header].decode() for word, header in named.items()}
    columns: dict[str, Cells] = {"item_id": list(_choose(said["sku"], said["id"]))}
    columns |= {own: said[word] for word, own in _READ.items() if word in said}
    columns |= {
        "price": list(_find_prices(said)),
        "active": ["1" if cell in (None, "1") else "0" for cell in said["published"]],
        "availability": [_STATES.get((cell or "").lower()) for cell in said["instock"]],
        "item_group_id": list(_find_groups(said)),
    }
    for word, own in (("categories", "category"), ("images", "image_link")):
        if word in said:
            columns[own] = [_first(cell) for cell in said[word]]
    starts, ends = said.get("datesalepricestarts"), said.get("datesalepriceends")
    if starts is not None and ends is not None:
        columns["sale_price_effective_date"] = list(map(_name_window, starts, ends))
    return replace(raw, columns={name: Text.of(cells) for name, cells in columns.items()})


def _choose(first: Cells, second: Cells) -> Iterator[str | None]:
    return (one or other for one, other in zip(first, second, strict=True))


def _first(cell: str | None) -> str | None:
    return None if cell is None else _COMMA.split(cell)[0].replace("\\,", ",")


def _name_window(start: str | None, end: str | None) -> str | None:
    """When a sale is on; open at either end."""
    return f"{start or '1990-01-01'}/{end or '9000-01-01'}" if start or end else None


def _find_groups(said: Mapping[str, Cells]) -> Iterator[str | None]:
    """The ID of the product that each line is, or is a variation of."""
    own = dict(zip(said["sku"], said["id"], strict=True))
    parents = said.get("parent") or [None] * len(said["id"])
    for number, parent in zip(said["id"], parents, strict=True):
        yield own.get(parent, parent.removeprefix("id:")) if parent else number


def _find_prices(said: Mapping[str, Cells]) -> Iterator[str | None]:
    """The price of each line; of a product that has variations that of the cheapest."""
    least: dict[str | None, str] = {}
    prices, groups = said["regularprice"], list(_find_groups(said))
    for group, price in zip(groups, prices, strict=True):
        if price and (group not in least or _value(price) < _value(least[group])):
            least[group] = price
    for group, price, kind in zip(groups, prices, said["type"], strict=True):
        yield price or (least.get(group) if "variable" in (kind or "") else None)


def _value(price: str) -> float:
    try:
        return float(price.replace(",", "."))
    except ValueError:
        return float("inf")
