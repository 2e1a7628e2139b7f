"""The event's three forms: the struct, the row of the log, the Arrow rows of the lake."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from lingxi.errors import InvalidInput
from lingxi.schema import EVENT_ROWS, Event, Line
from lingxi.store.tables import to_micros

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode
_NO_LINE = (None,)

LogRow = tuple[int, str, str, int | None, int, int, bytes]
"""position, event_id, name, subject, occurred_at, received_at, payload"""


def to_row(event: Event, position: int) -> LogRow:
    """The event as a row of the log.

    Raises
    ------
    InvalidInput
        If a moment is naive or a value has no JSON form.
    """
    try:
        return (
            position,
            event.event_id,
            event.name,
            event.subject,
            to_micros(event.occurred_at),
            to_micros(event.received_at),
            _encode(event),
        )
    except (TypeError, msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise InvalidInput(
            f"The event {event.event_id!r} cannot be kept: {error}. "
            "Moments must be aware, properties text, numbers, true, false or null."
        ) from error


def from_row(position: int, payload: bytes) -> Event:
    """The event of a row of the log, with its position."""
    event = _decode(payload)
    msgspec.structs.force_setattr(event, "position", position)
    return event


def to_arrow(events: Sequence[Event]) -> pa.Table:
    """``EVENT_ROWS`` of these events: one row a line, one row for an event without lines."""
    pairs: list[tuple[Event, Line | None]] = [
        (event, line) for event in events for line in (event.lines or _NO_LINE)
    ]
    numbers = [n for event in events for n in range(len(event.lines) or 1)]
    heads = [event for event, _ in pairs]
    lines = [line for _, line in pairs]
    columns: dict[str, Iterable[Any]] = {
        "position": [e.position for e in heads],
        "line": numbers,
        "event_id": [e.event_id for e in heads],
        "name": [e.name for e in heads],
        "occurred_at": [to_micros(e.occurred_at) for e in heads],
        "received_at": [to_micros(e.received_at) for e in heads],
        "subject": [e.subject for e in heads],
        "session_id": [e.session_id for e in heads],
        "order_id": [e.order_id for e in heads],
        "currency": [e.currency for e in heads],
        "country": [e.country for e in heads],
        "category": [e.category for e in heads],
        "query": [e.query for e in heads],
        "event_amount_cents": [e.amount_cents for e in heads],
        "event_cost_cents": [e.cost_cents for e in heads],
        "item_id": [None if x is None else x.item_id for x in lines],
        "quantity": [None if x is None else x.quantity for x in lines],
        "price_cents": [None if x is None else x.price_cents for x in lines],
        "amount_cents": [None if x is None else x.amount_cents for x in lines],
        "source": [e.source for e in heads],
        "properties": [_encode(e.properties).decode() if e.properties else "{}" for e in heads],
    }
    arrays = [pa.array(columns[field.name], type=field.type) for field in EVENT_ROWS]
    return pa.Table.from_arrays(arrays, schema=EVENT_ROWS)
