"""From events to feedback, purely: every column is a sum, a least or a greatest value."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Table, case

from lingxi.gorse.tables import feedback
from lingxi.schema import Event
from lingxi.store import Projection
from lingxi.store.adding import Columns, greatest, least
from lingxi.store.projection import Pairs
from lingxi.store.tables import to_micros

SOURCE = "gorse"
TYPE, VALUE = "feedback_type", "feedback_value"
"""Properties of an event that is feedback."""


class FeedbackProjection:
    """One row a customer, feedback type and item."""

    name = "feedback"
    table: Table = feedback

    def add_up(self, pairs: Pairs, /) -> tuple[Sequence[tuple[object, ...]], Pairs]:
        """The rows that these events make; none is left over."""
        rows: dict[tuple[int, str, str], _Row] = {}
        for event, customer in pairs:
            found = read_feedback(event)
            if found is None:
                continue
            kind, item_id, value = found
            at = to_micros(event.occurred_at)
            row = rows.get((customer, kind, item_id))
            if row is None:
                row = _Row(customer, kind, item_id, value, 1, at, at, event.event_id)
                rows[customer, kind, item_id] = row
                continue
            row.value += value
            row.times += 1
            row.first_at = min(row.first_at, at)
            if (at, event.event_id) > (row.last_at, row.event_id):
                row.last_at, row.event_id = at, event.event_id
        return [astuple(row) for row in rows.values()], ()

    @staticmethod
    def merge(old: Columns, new: Columns) -> Columns:
        """Values are added, moments compared; the latest event names the row."""
        later = new["last_at"] > old["last_at"]
        later |= (new["last_at"] == old["last_at"]) & (new["event_id"] > old["event_id"])
        return {
            "value": old["value"] + new["value"],
            "times": old["times"] + new["times"],
            "first_at": least(old["first_at"], new["first_at"]),
            "last_at": greatest(old["last_at"], new["last_at"]),
            "event_id": case((later, new["event_id"]), else_=old["event_id"]),
        }


class _Row(msgspec.Struct, gc=False):
    """A row of ``feedback``, its columns in order, in the driver's forms."""

    customer: int
    feedback_type: str
    item_id: str
    value: float
    times: int
    first_at: int
    last_at: int
    event_id: str


def read_feedback(event: Event) -> tuple[str, str, float] | None:
    """Type, item and value of an event that is feedback; nothing for any other."""
    if event.source != SOURCE or not event.lines:
        return None
    properties: Mapping[str, object] = event.properties
    kind, value = properties.get(TYPE), properties.get(VALUE, 0.0)
    if not isinstance(kind, str) or not isinstance(value, int | float):
        return None
    return kind, event.lines[0].item_id, float(value)


PROJECTIONS: tuple[Projection, ...] = (FeedbackProjection(),)
"""What the log keeps up to date in its own transaction; ``app`` hands them over."""
