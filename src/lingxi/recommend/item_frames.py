"""The catalogue as a user of the plain Python API has it: a frame with a row an item."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from lingxi.errors import InvalidInput, UnknownColumn
from lingxi.recommend.content import describe, group_items
from lingxi.recommend.family import Family
from lingxi.recommend.frames import Frame, name_ids, to_arrow
from lingxi.recommend.histories import Histories
from lingxi.schema import Item

_LEVELS = ">"
_HIGHEST_PRICE = 1e10


def read_items(frame: Frame) -> dict[str, Item]:
    """What a frame says of items, by their ids; of an id given twice the last row counts.

    Parameters
    ----------
    frame
        ``item_id`` and any of ``name``, ``category`` (a text such as ``Home > Lamps``, or a list
        from the widest), ``brand`` and ``price`` (in units of one currency). Every other column of
        texts, numbers or truth values is an attribute. A missing value says nothing.

    Raises
    ------
    UnknownColumn
        If there is no ``item_id``.
    InvalidInput
        If a price is no number from 0 up.

    Examples
    --------
    >>> frame = pd.DataFrame({"item_id": [7], "category": ["Home > Lamps"], "price": [9.5]})
    >>> read_items(frame)["7"].path, read_items(frame)["7"].price_cents
    (('Home', 'Lamps'), 950)
    """
    table = frame if isinstance(frame, pd.DataFrame) else _to_pandas(frame)
    if "item_id" not in table.columns:
        raise UnknownColumn("The data frame of items has no column 'item_id'.")
    records = table.to_dict("records")
    return {item.item_id: item for item in map(_read_item, records)}


def _to_pandas(frame: Frame) -> pd.DataFrame:
    table = to_arrow(frame)
    if table is None:
        raise InvalidInput("items must be a data frame with a row an item.")
    return table.to_pandas()


def list_new(told: Mapping[str, Item], names: Sequence[str], *, fixed: bool) -> tuple[str, ...]:
    """The items that only the catalogue tells of; a table's columns are ``fixed``.

    Raises
    ------
    InvalidInput
        If the columns are fixed and one is told of that is not there.
    """
    known = frozenset(names)
    new = tuple(name for name in told if name not in known)
    if new and fixed:
        raise InvalidInput(f"The table has no column {new[0]!r}, of which items tells.")
    return new


def tell_of_items(taught: Histories, names: Sequence[str], told: Mapping[str, Item]) -> Histories:
    """Histories that know what was told of their items; ``names``: ids, shape (n_items,)."""
    if not told:
        return taught
    items = [told.get(name) for name in names]
    return replace(taught, about=describe(items), groups=group_items(items))


def check_family(family: Family, told: Mapping[str, Item], *, composed: bool) -> None:
    """Refuse a model that cannot be fitted by its name with what is there.

    Raises
    ------
    InvalidInput
        With what to do.
    """
    if family.composed and not composed:
        raise InvalidInput(
            f"A {family.name} is made by auto, from the models that do best here; "
            "recipe_ says whether it is one."
        )
    if (family.described or family.grouped) and not told:
        raise InvalidInput(
            f"{family.name} goes by what the items are: fit(data, items=frame), with item_id and "
            "any of name, category, brand, price."
        )


def _read_item(record: Mapping[object, object]) -> Item:
    said = {str(name): value for name, value in record.items() if _is_said(value)}
    item_id = said.pop("item_id", None)
    if not isinstance(item_id, str | int | float):
        raise InvalidInput("An item of the data frame has no item_id.")
    own = {name: said.pop(name, None) for name in ("name", "category", "brand", "price")}
    attributes = {
        name: value for name, value in said.items() if isinstance(value, str | bool | int | float)
    }
    (name,) = name_ids(item_id)
    return Item(
        item_id=name,
        name=str(own["name"] or ""),
        brand=None if own["brand"] is None else str(own["brand"]),
        category_path=_read_path(own["category"]),
        price_cents=_read_price(own["price"], name),
        attributes=attributes,
    )


def _is_said(value: object) -> bool:
    return value is not None and (not pd.api.types.is_scalar(value) or not pd.isna(value))


def _read_path(said: object) -> tuple[str, ...]:
    if said is None:
        return ()
    parts = said.split(_LEVELS) if isinstance(said, str) else [said]
    if isinstance(said, Iterable) and not isinstance(said, str):
        parts = list(said)
    return tuple(text for part in parts if (text := str(part).strip()))


def _read_price(said: object, name: str) -> int | None:
    if said is None:
        return None
    try:
        price = float(str(said))
    except ValueError:
        price = -1.0
    if not 0 <= price <= _HIGHEST_PRICE:
        raise InvalidInput(
            f"The price of item {name!r} is {said!r}; it must be a number from 0 up."
        )
    return round(price * 100)
