"""What a program may say of an item, checked, and what that makes of the item."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lingxi.errors import InvalidInput
from lingxi.ingest.puts import tidy, tidy_id
from lingxi.schema import Item, Scalar

MOST_CENTS = 10**12
MOST_STOCK = 10**9
MOST_ATTRIBUTES = 50
DEEPEST_PATH = 10
LONGEST_URL = 2000
_LONGEST_ATTRIBUTE = 500

_Text = Annotated[str, Meta(max_length=500)]
_Short = Annotated[str, Meta(max_length=200)]
_Cents = Annotated[int, Meta(ge=0, le=MOST_CENTS)]
_Signed = Annotated[int, Meta(ge=-MOST_CENTS, le=MOST_CENTS)]
_Moment = Annotated[datetime, Meta(tz=True)]


class ItemChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields of an item to set; null makes one unknown, a field left out stays as it is.

    Amounts are in minor units of ``currency``, which must be the shop's. ``category`` may be a path
    (``Home > Lamps``), as may ``category_path`` (``["Home", "Lamps"]``). ``attributes`` replaces
    all of them. ``margin_cents`` follows from price and cost where both are known.
    """

    name: _Text | UnsetType | None = UNSET
    category: Annotated[str, Meta(max_length=1000)] | UnsetType | None = UNSET
    category_path: Annotated[list[_Short], Meta(max_length=DEEPEST_PATH)] | UnsetType | None = UNSET
    brand: _Short | UnsetType | None = UNSET
    price_cents: _Cents | UnsetType | None = UNSET
    cost_cents: _Cents | UnsetType | None = UNSET
    margin_cents: _Signed | UnsetType | None = UNSET
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] | UnsetType | None = UNSET
    stock: Annotated[int, Meta(ge=0, le=MOST_STOCK)] | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
    attributes: dict[str, Scalar] | UnsetType | None = UNSET
    image: Annotated[str, Meta(max_length=LONGEST_URL)] | UnsetType | None = UNSET
    url: Annotated[str, Meta(max_length=LONGEST_URL)] | UnsetType | None = UNSET
    available_from: _Moment | UnsetType | None = UNSET
    available_until: _Moment | UnsetType | None = UNSET
    group_id: _Short | UnsetType | None = UNSET


_PLAIN = (
    "price_cents", "cost_cents", "margin_cents", "stock", "available_from", "available_until"
)  # fmt: skip


def apply_change(item: Item, change: ItemChange, currency: str) -> Item:
    """The item with the change made; a removed item comes back on sale unless said otherwise.

    Raises
    ------
    InvalidInput
        If a field's value cannot be used; the message begins with the field's name.
    """
    if change.currency not in (UNSET, None, currency):
        raise InvalidInput(
            f"currency: this shop keeps amounts in {currency}, not in {change.currency}; "
            f"convert price_cents and cost_cents and send {currency}."
        )
    values: dict[str, object] = {"removed": False}
    values["active"] = item.active or item.removed
    if change.active is not UNSET:
        values["active"] = change.active
    for name in _PLAIN:
        if (given := getattr(change, name)) is not UNSET:
            values[name] = given
    for name in ("brand", "group_id"):
        if (given := getattr(change, name)) is not UNSET:
            values[name] = tidy_id(given) if given else None
    if change.name is not UNSET:
        values["name"] = (tidy(change.name) if change.name else None) or ""
    values |= _read_category(change)
    if change.attributes is not UNSET:
        values["attributes"] = check_attributes(change.attributes or {})
    for name in ("image", "url"):
        if (given := getattr(change, name)) is not UNSET:
            values[name] = check_url(name, given) if given else None
    return settle(msgspec.structs.replace(item, **values))


def settle(item: Item) -> Item:
    """The item with the margin that follows from price and cost.

    Raises
    ------
    InvalidInput
        If it would be available until before it is available.
    """
    start, end = item.available_from, item.available_until
    if start is not None and end is not None and end <= start:
        raise InvalidInput("available_until: must be later than available_from.")
    if item.price_cents is None or item.cost_cents is None:
        return item
    return msgspec.structs.replace(item, margin_cents=item.price_cents - item.cost_cents)


def split_path(text: str) -> tuple[str, ...]:
    """The parts of a category path, from the widest.

    >>> split_path("Home & Garden > Lamps >Desk lamps")
    ('Home & Garden', 'Lamps', 'Desk lamps')
    """
    parts = (tidy_id(part) for part in text.split(">"))
    return tuple(part for part in parts if part is not None)[:DEEPEST_PATH]


def _read_category(change: ItemChange) -> dict[str, object]:
    if change.category_path is UNSET and change.category is UNSET:
        return {}
    if isinstance(change.category_path, list):
        path = tuple(part for each in change.category_path if (part := tidy_id(each)))
    else:
        path = split_path(change.category) if isinstance(change.category, str) else ()
    return to_category(path)


def to_category(path: tuple[str, ...]) -> dict[str, object]:
    """The two fields of an item that its category path sets."""
    return {"category": path[-1] if path else None, "category_path": path if path[1:] else ()}


def check_attributes(attributes: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Attributes with tidy names and values.

    Raises
    ------
    InvalidInput
        If there are more than 50, or one is longer than 500 characters.
    """
    if len(attributes) > MOST_ATTRIBUTES:
        raise InvalidInput(f"attributes: at most {MOST_ATTRIBUTES}, not {len(attributes)}.")
    kept: dict[str, Scalar] = {}
    for name, value in attributes.items():
        key = tidy_id(name)
        if key is None or key != name.strip() or len(key) > 100:
            raise InvalidInput("attributes: a name is 1 to 100 printable characters.")
        if isinstance(value, str) and len(value) > _LONGEST_ATTRIBUTE:
            raise InvalidInput(
                f"attributes.{key}: at most {_LONGEST_ATTRIBUTE} characters, not {len(value)}."
            )
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise InvalidInput(f"attributes.{key}: the number is too large.")
        if value is not None:
            kept[key] = (tidy(value) or "") if isinstance(value, str) else value
    return kept


def check_url(field: str, text: str) -> str:
    """An address that a page may link to.

    Raises
    ------
    InvalidInput
        If it is not an http or https address of at most 2000 characters.
    """
    given = text.strip()
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    fits = parts.scheme in ("http", "https") and bool(parts.netloc)
    if not fits or len(given) > LONGEST_URL or not given.isprintable() or " " in given:
        raise InvalidInput(f"{field}: must be an address that begins with http:// or https://.")
    return given


def convert_change(body: Mapping[str, object] | msgspec.Raw) -> ItemChange:
    """A change from JSON.

    Raises
    ------
    InvalidInput
        If a field is unknown or of the wrong type; the message names it.
    """
    try:
        if isinstance(body, msgspec.Raw):
            return msgspec.json.decode(body, type=ItemChange)
        return msgspec.convert(body, ItemChange)
    except msgspec.ValidationError as error:
        raise InvalidInput(explain(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The body is not JSON: {error}.") from error


def explain(error: msgspec.ValidationError) -> str:
    """msgspec's message with the field first.

    >>> explain(msgspec.ValidationError("Expected `int`, got `str` - at `$.price_cents`"))
    'price_cents: expected `int`, got `str`.'
    """
    text, _, place = str(error).partition(" - at `$")
    field = place.rstrip("`").lstrip(".")
    text = text[:1].lower() + text[1:]
    return f"{field}: {text}." if field else f"{error!s}."
