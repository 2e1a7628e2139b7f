"""An event that a journey waits for, begins with or ends at, and the conditions on it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import msgspec

from lingxi.errors import InvalidInput
from lingxi.schema import Event, Scalar
from lingxi.segments.fields import is_of_line, match_event, match_line
from lingxi.segments.rule import Test, Value, Where

EventName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
PropertyName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a journey: frozen, and a name that is not known is an error."""


class Condition(Record, frozen=True, kw_only=True):
    """A field or property of an event and what it must be, as in the rule of a segment:
    ``{property: amount_cents, at_least: 2000}``. Every part that is given must hold."""

    property: PropertyName
    equals: Value | None = None
    not_equals: Value | None = None
    one_of: tuple[Value, ...] | None = None
    contains: str | None = None
    starts_with: str | None = None
    more_than: float | None = None
    at_least: float | None = None
    less_than: float | None = None
    at_most: float | None = None
    known: bool | None = None

    def __post_init__(self) -> None:
        if to_where(self).test == Test():
            raise InvalidInput(
                f"The condition on {self.property!r} must say what it must be, "
                "for instance with 'equals'."
            )


class Happening(Record, frozen=True, kw_only=True):
    """An event with conditions on it; ``same_key``: only one with the key of the run."""

    event: EventName
    where: tuple[Condition, ...] = ()
    same_key: bool = False


@lru_cache(maxsize=4000)
def to_where(condition: Condition) -> Where:
    """The condition as a segment's rule has it."""
    parts = {name: getattr(condition, name) for name in condition.__struct_fields__[1:]}
    return Where(condition.property, Test(**parts))


def meets(conditions: Sequence[Condition], event: Event) -> bool:
    """Whether all conditions hold for the event; those on lines, of one and the same line.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 1, 1, tzinfo=UTC)
    >>> event = Event(event_id="1", name="x", occurred_at=at, received_at=at, amount_cents=1999)
    >>> meets([Condition(property="amount_cents", at_least=2000)], event)
    False
    """
    if not conditions:
        return True
    where = tuple(to_where(condition) for condition in conditions)
    if not match_event(event, where):
        return False
    if not any(is_of_line(each.property) for each in where):
        return True
    return any(match_line(line, where) for line in event.lines)


def list_values(event: Event, name: str) -> tuple[Scalar, ...]:
    """The values of a field or property of an event; several only for the items of its lines."""
    if name == "item_id" and event.lines:
        return tuple(dict.fromkeys(line.item_id for line in event.lines))
    value: Scalar = None
    if name in ("order_id", "session_id", "category", "country", "currency", "query"):
        value = getattr(event, name)
    if value is None:
        value = event.properties.get(name)
    return () if value is None else (value,)
