"""What a condition is asked about: one item as it is, and the request it is asked in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from lingxi.recommend.expressions.names import CUSTOM
from lingxi.recommend.expressions.nodes import Kind, Scalar
from lingxi.schema import Item

_DAY = 86400.0
_NUMBER = re.compile(r" *[+-]?\d{1,15}(?:\.\d{1,15})? *\+? *", re.ASCII)
_TRUTHS = {"true": True, "false": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_days(moment: datetime) -> float:
    """Days since 1970 in UTC."""
    return (moment - _EPOCH).total_seconds() / _DAY


@dataclass(frozen=True)
class Facts:
    """An item with what the log says of it; ``item`` is nothing where no catalogue knows it.

    ``first_day`` is when it was first offered or met, in days since 1970; ``units`` minor units of
    the shop's currency in a whole one.
    """

    item_id: str
    item: Item | None = None
    popularity: float | None = None
    orders: float | None = None
    views: float | None = None
    first_day: float | None = None
    units: int = 100

    def read(self, name: str, kind: Kind) -> Scalar | None:
        """The value of an attribute as ``kind``; nothing where unknown or of another kind."""
        if name.startswith(CUSTOM):
            given = self.item.attributes.get(name.removeprefix(CUSTOM)) if self.item else None
            return _as_kind(given, kind)
        match name:
            case "item_id":
                return self.item_id
            case "listed":
                return self.item is not None
            case "popularity" | "orders" | "views" | "first_day":
                return _finite(getattr(self, name))
        return None if self.item is None else self._read_item(name, self.item)

    def _read_item(self, name: str, item: Item) -> Scalar | None:
        match name:
            case "name" | "brand" | "category":
                return getattr(item, name) or None
            case "path":
                return item.path or None
            case "group":
                return item.group_id
            case "kind":
                return _as_kind(item.attributes.get("kind"), Kind.TEXT) or "product"
            case "price" | "cost" | "margin":
                cents = getattr(item, f"{name}_cents")
                return None if cents is None else cents / self.units
            case "margin_share":
                return _divide(item.margin_cents, item.price_cents)
            case "discount":
                regular = _as_kind(item.attributes.get("regular_price_cents"), Kind.NUMBER)
                share = _divide(item.price_cents, cast("float | None", regular))
                return None if share is None else 1.0 - share
            case "stock":
                return None if item.stock is None else float(item.stock)
            case "active":
                return item.active and not item.removed
            case "from_day" | "until_day":
                moment = item.available_from if name == "from_day" else item.available_until
                return None if moment is None else to_days(moment)
        raise KeyError(name)


@dataclass(frozen=True)
class Moment:
    """The request that a condition is asked in; unknown values are left out of ``values``."""

    now: datetime
    values: Mapping[str, Scalar] = field(default_factory=dict)
    current: Facts | None = None

    def read(self, name: str, kind: Kind) -> Scalar | None:
        """A value of the request, ``now`` in days, or an attribute of the item looked at."""
        if name == "now":
            return to_days(self.now)
        if name.startswith("current."):
            return self.current.read(name.removeprefix("current."), kind) if self.current else None
        return self.values.get(name)


def _as_kind(value: object, kind: Kind) -> Scalar | None:
    match value:
        case bool():
            return value if kind in (Kind.TRUTH, Kind.OPEN) else None
        case int() | float():
            return _finite(float(value)) if kind in (Kind.NUMBER, Kind.OPEN) else None
        case str():
            return _read_text(value, kind) if value else None
    return None


def _read_text(text: str, kind: Kind) -> Scalar | None:
    """A text as ``kind``: a file of items has texts alone, and 18 or ``18+`` in it is a number."""
    match kind:
        case Kind.NUMBER:
            return _finite(float(text.strip(" +"))) if _NUMBER.fullmatch(text) else None
        case Kind.TRUTH:
            return _TRUTHS.get(text.strip().lower())
    return text if kind in (Kind.TEXT, Kind.OPEN) else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


def _divide(part: float | None, whole: float | None) -> float | None:
    if part is None or whole is None or whole <= 0:
        return None
    return part / whole
