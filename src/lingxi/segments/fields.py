"""The fields of events that conditions and aggregates name: where each stands, and its value."""

from dataclasses import dataclass
from typing import Literal

from lingxi.schema import Event, Line
from lingxi.segments.compare import passes
from lingxi.segments.rule import Stream, Value, Where

PREFIX = "properties."


@dataclass(frozen=True)
class Field:
    """One field; ``attribute`` is where the event or line keeps it, ``column`` where the lake does.

    A field of lines has a value for every line of an event.
    """

    level: Literal["event", "line"]
    kind: Literal["text", "number"]
    attribute: str
    column: str


FIELDS = {
    "amount_cents": Field("event", "number", "amount_cents", "event_amount_cents"),
    "cost_cents": Field("event", "number", "cost_cents", "event_cost_cents"),
    "category": Field("event", "text", "category", "category"),
    "country": Field("event", "text", "country", "country"),
    "currency": Field("event", "text", "currency", "currency"),
    "order_id": Field("event", "text", "order_id", "order_id"),
    "query": Field("event", "text", "query", "query"),
    "session_id": Field("event", "text", "session_id", "session_id"),
    "source": Field("event", "text", "source", "source"),
    "item_id": Field("line", "text", "item_id", "item_id"),
    "quantity": Field("line", "number", "quantity", "quantity"),
    "price_cents": Field("line", "number", "price_cents", "price_cents"),
    "line_amount_cents": Field("line", "number", "amount_cents", "amount_cents"),
}
"""Fields that every event may have; any other name is a property of the event's own.
``properties.NAME`` is the property where a field has the same name."""


def find_field(name: str) -> Field | None:
    """The field of this name; nothing for a property."""
    return FIELDS.get(name)


def property_key(name: str) -> str:
    """The key among an event's properties that a name means."""
    return name.removeprefix(PREFIX)


def is_of_line(name: str) -> bool:
    """Whether the values are those of single lines."""
    field = FIELDS.get(name)
    return field is not None and field.level == "line"


def asks_lines(stream: Stream) -> bool:
    """Whether a stream's conditions are about single lines."""
    named = bool(stream.items or stream.categories)
    return named or any(is_of_line(each.property) for each in stream.where)


def read_value(event: Event, name: str) -> Value | None:
    """The value of a field of the event itself."""
    field = FIELDS.get(name)
    if field is None:
        return event.properties.get(property_key(name))
    found: Value | None = getattr(event, field.attribute)
    return found


def match_event(event: Event, where: tuple[Where, ...]) -> bool:
    """Whether every condition on the event itself holds."""
    return all(
        passes(each.test, read_value(event, each.property))
        for each in where
        if not is_of_line(each.property)
    )


def match_line(line: Line, where: tuple[Where, ...]) -> bool:
    """Whether every condition on lines holds of this one."""
    for each in where:
        field = FIELDS.get(each.property)
        if field is not None and field.level == "line":
            value: Value | None = getattr(line, field.attribute)
            if not passes(each.test, value):
                return False
    return True
