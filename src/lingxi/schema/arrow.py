"""Arrow schemas of what crosses from room to room as a table."""

import pyarrow as pa

_TIME = pa.timestamp("us", tz="UTC")

_EVENT_FIELDS: "list[pa.Field[pa.DataType]]" = [
    pa.field("position", pa.int64(), nullable=False),
    pa.field("line", pa.int32(), nullable=False),
    pa.field("event_id", pa.string(), nullable=False),
    pa.field("name", pa.string(), nullable=False),
    pa.field("occurred_at", _TIME, nullable=False),
    pa.field("received_at", _TIME, nullable=False),
    pa.field("subject", pa.int64()),
    pa.field("session_id", pa.string()),
    pa.field("order_id", pa.string()),
    pa.field("currency", pa.string()),
    pa.field("country", pa.string()),
    pa.field("category", pa.string()),
    pa.field("query", pa.string()),
    pa.field("event_amount_cents", pa.int64()),
    pa.field("event_cost_cents", pa.int64()),
    pa.field("item_id", pa.string()),
    pa.field("quantity", pa.int64()),
    pa.field("price_cents", pa.int64()),
    pa.field("amount_cents", pa.int64()),
    pa.field("source", pa.string()),
    pa.field("properties", pa.string()),
]

EVENT_ROWS = pa.schema(_EVENT_FIELDS)
"""One row per event and line: ``line`` counts from 0; an event without lines has one row, line 0,
with no item. Columns from ``position`` to ``event_cost_cents`` repeat on each line of an event, so
event-level sums filter on ``line == 0``. ``properties`` is a JSON object."""

_INTERACTION_FIELDS: "list[pa.Field[pa.DataType]]" = [
    pa.field("customer_id", pa.string(), nullable=False),
    pa.field("item_id", pa.string(), nullable=False),
    pa.field("occurred_at", _TIME),
    pa.field("weight", pa.float32()),
]

INTERACTIONS = pa.schema(_INTERACTION_FIELDS)
"""What a recommender learns from: who (a customer or an anonymous basket), which item, when and
how much."""
