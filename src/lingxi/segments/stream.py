"""Which of a customer's events a stream holds, and what they say."""

from collections.abc import Mapping, Sequence

from lingxi.schema import Event, Line
from lingxi.segments.fields import (
    FIELDS,
    asks_lines,
    is_of_line,
    match_event,
    match_line,
    read_value,
)
from lingxi.segments.rule import Stream, Value

Goods = Mapping[tuple[str, ...], frozenset[str]]
"""The items of the catalogue that stand in one of some categories, by those categories."""


def find_lines(stream: Stream, event: Event, goods: Goods) -> Sequence[Line]:
    """The lines of an event that fulfil what a stream asks of lines.

    A line is of a category if its item is, in the catalogue, or if its event says so.
    """
    wanted = goods.get(stream.categories, frozenset())
    named = event.category is not None and event.category in stream.categories
    return [
        line
        for line in event.lines
        if match_line(line, stream.where)
        and (
            not (stream.items or stream.categories)
            or line.item_id in stream.items
            or line.item_id in wanted
            or named
        )
    ]


def belongs(stream: Stream, event: Event, goods: Goods) -> bool:
    """Whether an event of the right name is in the stream."""
    if not match_event(event, stream.where):
        return False
    return not asks_lines(stream) or bool(find_lines(stream, event, goods))


def list_values(stream: Stream, of: str, event: Event, goods: Goods) -> list[Value]:
    """What an event of the stream says of a field: a value, or one a line; unknown ones are left
    out. Without a field one 1 for the event."""
    if not match_event(event, stream.where):
        return []
    lines = find_lines(stream, event, goods) if asks_lines(stream) else event.lines
    if asks_lines(stream) and not lines:
        return []
    if not of:
        return [1]
    if is_of_line(of):
        attribute = FIELDS[of].attribute
        values: list[Value | None] = [getattr(line, attribute) for line in lines]
    else:
        values = [read_value(event, of)]
    return [value for value in values if value is not None]
