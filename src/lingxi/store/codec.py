"""The event's three forms: the struct, the row of the log, the Arrow rows of the lake."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from lingxi.errors import EventDamaged, InvalidInput
from lingxi.schema import EVENT_ROWS, Event
from lingxi.store.tables import EPOCH, to_micros

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode
_NO_LINE = (None,)

LogRow = tuple[int, str, str, int | None, int, int, bytes]
"""position, event_id, name, subject, occurred_at, received_at, payload"""


def to_rows(events: Sequence[Event], first: int) -> list[LogRow]:
    """The events as rows of the log, at the positions from ``first`` on.

    Raises
    ------
    InvalidInput
        If a moment is naive or a value has no JSON form.
    """
    rows: list[LogRow] = []
    known, known_us = EPOCH, 0  # what came together has one moment of arrival
    for position, event in enumerate(events, first):
        occurred, received = event.occurred_at, event.received_at
        try:
            if received != known:
                known, known_us = received, to_micros(received)
            row = (
                position,
                event.event_id,
                event.name,
                event.subject,
                known_us if occurred is received else to_micros(occurred),
                known_us,
                _encode(event),
            )
        except (TypeError, msgspec.MsgspecError, UnicodeEncodeError) as error:
            raise InvalidInput(
                f"The event {event.event_id!r} cannot be kept: {error}. "
                "Moments must be aware, properties text, numbers, true, false or null."
            ) from error
        rows.append(row)
    return rows


def from_row(position: int, payload: bytes) -> Event:
    """The event of a row of the log, with its position.

    Raises
    ------
    EventDamaged
        If the payload is no event, or one with numbers or moments that no event can have.
    """
    try:
        event = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise EventDamaged(
            f"The event at position {position} of the log cannot be read: {error}. "
            "What else is damaged is told by: lingxi doctor"
        ) from error
    msgspec.structs.force_setattr(event, "position", position)
    return event


def is_whole(position: int, payload: bytes) -> bool:
    """Whether ``from_row`` reads the event."""
    try:
        from_row(position, payload)
    except EventDamaged:
        return False
    return True


def to_arrow(events: Sequence[Event]) -> pa.Table:
    """``EVENT_ROWS`` of these events: one row a line, one row for an event without lines."""
    counts = np.array([len(e.lines) or 1 for e in events], dtype=np.int64)
    whose = np.repeat(np.arange(len(events)), counts)
    numbers = np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)
    lines = [line for e in events for line in (e.lines or _NO_LINE)]
    of_events = _event_columns(events)
    of_lines: dict[str, Sequence[object]] = {
        "item_id": [None if x is None else x.item_id for x in lines],
        "quantity": [None if x is None else x.quantity for x in lines],
        "price_cents": [None if x is None else x.price_cents for x in lines],
        "amount_cents": [None if x is None else x.amount_cents for x in lines],
    }
    rows = pa.array(whose)
    columns = {"line": pa.array(numbers, type=pa.int32())}
    for field in EVENT_ROWS:
        if field.name in of_events:
            columns[field.name] = pa.array(of_events[field.name], type=field.type).take(rows)
        elif field.name in of_lines:
            columns[field.name] = pa.array(of_lines[field.name], type=field.type)
    return pa.Table.from_arrays([columns[name] for name in EVENT_ROWS.names], schema=EVENT_ROWS)


def _event_columns(events: Sequence[Event]) -> dict[str, Sequence[object]]:
    """The columns that repeat on each line of an event, an entry an event."""
    return {
        "position": [e.position for e in events],
        "event_id": [e.event_id for e in events],
        "name": [e.name for e in events],
        "occurred_at": [to_micros(e.occurred_at) for e in events],
        "received_at": [to_micros(e.received_at) for e in events],
        "subject": [e.subject for e in events],
        "session_id": [e.session_id for e in events],
        "order_id": [e.order_id for e in events],
        "currency": [e.currency for e in events],
        "country": [e.country for e in events],
        "category": [e.category for e in events],
        "query": [e.query for e in events],
        "event_amount_cents": [e.amount_cents for e in events],
        "event_cost_cents": [e.cost_cents for e in events],
        "source": [e.source for e in events],
        "properties": [_encode(e.properties).decode() if e.properties else "{}" for e in events],
    }
