"""An offer as a form: its fields in groups, what a reader typed, and the definition it means.

Amounts are typed in whole units of the shop's currency, moments in the shop's time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from lingxi.errors import InvalidInput
from lingxi.i18n.translator import minor_units

Values = Mapping[str, str]
BENEFITS = ("percent", "amount", "free_shipping", "gift", "points", "privilege")
CODES = ("unique", "pool", "shared")


@dataclass(frozen=True)
class Field:
    """One field; its name is the path in the definition, with dots.

    ``kind``: select, money, number, text, list (separated by commas), moment or check. ``when`` are
    the choices of the group's first field with which it counts.
    """

    path: str
    kind: str
    options: tuple[str, ...] = ()
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Fields that stand together under a heading."""

    code: str
    fields: tuple[Field, ...]


GROUPS = (
    Group("title", (Field("title.en", "text"), Field("title.zh", "text"))),
    Group(
        "benefit",
        (
            Field("benefit.kind", "select", BENEFITS),
            Field("benefit.percent", "number", when=("percent",)),
            Field("benefit.cents", "money", when=("amount",)),
            Field("benefit.at_most_cents", "money", when=("percent", "free_shipping")),
            Field("benefit.item_id", "text", when=("gift",)),
            Field("benefit.quantity", "number", when=("gift",)),
            Field("benefit.points", "number", when=("points",)),
            Field("benefit.worth_cents", "money", when=("gift", "points", "privilege")),
        ),
    ),
    Group(
        "code",
        (
            Field("code.kind", "select", CODES),
            Field("code.prefix", "text", when=("unique",)),
            Field("code.low_at", "number", when=("pool",)),
            Field("code.text", "text", when=("shared",)),
            Field("code.only_issued", "check", when=("shared",)),
        ),
    ),
    Group(
        "conditions",
        (
            Field("conditions.minimum_cents", "money"),
            Field("conditions.items", "list"),
            Field("conditions.categories", "list"),
            Field("conditions.without_items", "list"),
            Field("conditions.segment", "text"),
            Field("conditions.first_order", "check"),
            Field("personal", "check"),
        ),
    ),
    Group(
        "validity",
        (
            Field("validity.starts_at", "moment"),
            Field("validity.ends_at", "moment"),
            Field("validity.days", "number"),
        ),
    ),
    Group(
        "limits",
        (
            Field("limits.budget_cents", "money"),
            Field("limits.issued", "number"),
            Field("limits.redemptions", "number"),
            Field("limits.per_customer", "number"),
            Field("stacks_with", "list"),
            Field("paused", "check"),
        ),
    ),
    Group(
        "plan",
        (Field("plan.occasions", "list"), Field("plan.margin_floor", "number")),
    ),
)
_EMPTY_MEANS_NONE = frozenset({"limits.per_customer"})
_NEW = {"benefit.kind": "percent", "code.kind": "unique", "limits.per_customer": "1"}


def spell(definition: Mapping[str, Any] | None, currency: str, zone: ZoneInfo) -> dict[str, str]:
    """What stands in the form for an offer, or for a new one."""
    if definition is None:
        return dict(_NEW)
    values = dict(_NEW)
    for group in GROUPS:
        for field in group.fields:
            held, known = _dig(definition, field.path)
            if known:
                values[field.path] = _spell(field, held, currency, zone)
    return values


def understand(values: Values, currency: str, zone: ZoneInfo) -> dict[str, Any]:
    """The definition that the form means, to be read by ``read_offer``.

    Raises
    ------
    InvalidInput
        If an amount, a number or a moment is none.
    """
    raw: dict[str, Any] = {}
    for group in GROUPS:
        choice = values.get(group.fields[0].path, "")
        for field in group.fields:
            typed = values.get(field.path, "").strip()
            if field.when and choice not in field.when:
                continue
            if typed:
                _put(raw, field.path, _read(field, typed, currency, zone))
            elif field.path in _EMPTY_MEANS_NONE:
                _put(raw, field.path, None)
    return raw


def _read(field: Field, typed: str, currency: str, zone: ZoneInfo) -> Any:
    if field.kind == "check":
        return True
    if field.kind == "list":
        return [part.strip() for part in typed.replace("，", ",").split(",") if part.strip()]
    if field.kind == "moment":
        return _read_moment(field, typed, zone)
    if field.kind not in ("money", "number"):
        return typed
    try:
        number = Decimal(typed)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > 10**12:
        raise InvalidInput(f"{field.path}: {typed!r} is no number.")
    if field.kind == "money":
        cents = number * 10 ** minor_units(currency)
        if cents != cents.to_integral_value():
            raise InvalidInput(f"{field.path}: {typed!r} is finer than {currency} is.")
        return int(cents)
    return int(number) if number == number.to_integral_value() else float(number)


def _read_moment(field: Field, typed: str, zone: ZoneInfo) -> str:
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise InvalidInput(f"{field.path}: {typed!r} is no day and time.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


def _spell(field: Field, held: Any, currency: str, zone: ZoneInfo) -> str:
    if held is None or held is False:
        return ""
    if held is True:
        return "on"
    if field.kind == "money":
        digits = minor_units(currency)
        return f"{Decimal(held) / 10**digits:.{digits}f}"
    if field.kind == "list":
        return ", ".join(held)
    if field.kind == "moment":
        local = datetime.fromisoformat(str(held)).astimezone(zone)
        return local.strftime("%Y-%m-%dT%H:%M")
    return f"{held:g}" if isinstance(held, float) else str(held)


def _dig(raw: Mapping[str, Any], path: str) -> tuple[Any, bool]:
    held: Any = raw
    for part in path.split("."):
        if not isinstance(held, Mapping) or part not in held:
            return None, False
        held = held[part]
    return held, True


def _put(raw: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        raw = raw.setdefault(part, {})
    raw[last] = value
