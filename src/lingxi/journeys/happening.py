"""An event that a journey waits for, begins with or ends at, and the conditions on it."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from lingxi.errors import InvalidInput
from lingxi.schema import Event, Scalar

EventName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
PropertyName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a journey: frozen, and a name that is not known is an error."""


class Test(StrEnum):
    """How a property is compared."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    ABOVE = "above"
    BELOW = "below"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    CONTAINS = "contains"
    EXISTS = "exists"
    MISSING = "missing"


_LISTS = (Test.IN, Test.NOT_IN)
_NUMBERS = (Test.ABOVE, Test.BELOW, Test.AT_LEAST, Test.AT_MOST)
_BARE = (Test.EXISTS, Test.MISSING)


class Condition(Record, frozen=True, kw_only=True):
    """A property of an event, how it is compared, and with what.

    ``property``: a property of the event, or ``item_id`` (of any line), ``amount`` (in whole units
    of the currency), ``category``, ``currency``, ``country``, ``order_id``, ``query``.
    """

    property: PropertyName
    is_: Test = msgspec.field(default=Test.IS, name="is")
    value: Scalar | tuple[Scalar, ...] = None

    def __post_init__(self) -> None:
        where = f"The condition on {self.property!r}"
        if (self.is_ in _LISTS) != isinstance(self.value, tuple):
            raise InvalidInput(f"{where}: a list of values belongs to 'in' and 'not_in', to both.")
        if self.is_ in _NUMBERS and not _is_number(self.value):
            raise InvalidInput(f"{where}: {self.is_.value!r} needs a number, not {self.value!r}.")
        if self.is_ is Test.CONTAINS and not isinstance(self.value, str):
            raise InvalidInput(f"{where}: 'contains' needs a text, not {self.value!r}.")
        if self.is_ in _BARE and self.value is not None:
            raise InvalidInput(f"{where}: {self.is_.value!r} takes no value.")


class Happening(Record, frozen=True, kw_only=True):
    """An event with conditions on it; ``same_key``: only one with the key of the run."""

    event: EventName
    where: tuple[Condition, ...] = ()
    same_key: bool = False


def meets(conditions: Sequence[Condition], event: Event) -> bool:
    """Whether all conditions hold for the event.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> event = Event(event_id="1", name="x", occurred_at=at, received_at=at, amount_cents=1999)
    >>> meets([Condition(property="amount", is_=Test.AT_LEAST, value=20)], event)
    False
    """
    return all(
        _holds(condition, list_values(event, condition.property)) for condition in conditions
    )


def list_values(event: Event, name: str) -> tuple[Scalar, ...]:
    """The values of a property of an event; several only for the items of its lines."""
    if name == "item_id":
        found: tuple[Scalar, ...] = tuple(dict.fromkeys(line.item_id for line in event.lines))
        return found or _of_properties(event, name)
    if name == "amount":
        return () if event.amount_cents is None else (event.amount_cents / 100,)
    if name in ("category", "currency", "country", "order_id", "query", "session_id"):
        value: Scalar = getattr(event, name)
        return (value,) if value is not None else _of_properties(event, name)
    return _of_properties(event, name)


def _of_properties(event: Event, name: str) -> tuple[Scalar, ...]:
    value = event.properties.get(name)
    return () if value is None else (value,)


def _holds(condition: Condition, values: tuple[Scalar, ...]) -> bool:
    test, wanted = condition.is_, condition.value
    if test is Test.MISSING:
        return not values
    if test in (Test.IS_NOT, Test.NOT_IN):
        listed = wanted if isinstance(wanted, tuple) else (wanted,)
        return not any(value in listed for value in values)
    return any(_compare(test, value, wanted) for value in values)


def _compare(test: Test, value: Scalar, wanted: Scalar | tuple[Scalar, ...]) -> bool:
    if test is Test.EXISTS:
        return True
    if isinstance(wanted, tuple):
        return value in wanted
    if test is Test.IS:
        return value == wanted
    if test is Test.CONTAINS:
        return isinstance(value, str) and str(wanted).casefold() in value.casefold()
    if not _is_number(value) or not _is_number(wanted):
        return False
    number, limit = float(value or 0), float(wanted or 0)
    return {
        Test.ABOVE: number > limit,
        Test.BELOW: number < limit,
        Test.AT_LEAST: number >= limit,
        Test.AT_MOST: number <= limit,
    }[test]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
