"""The nouns of the product and their Arrow schemas."""

from lingxi.schema.arrow import EVENT_ROWS, INTERACTIONS
from lingxi.schema.event import (
    AUTOMATION_EVENTS,
    ITEM_EVENTS,
    MESSAGE_EVENTS,
    SYSTEM_EVENTS,
    Event,
    Line,
    Name,
    Scalar,
)
from lingxi.schema.item import Item
from lingxi.schema.money import Money

__all__ = [
    "AUTOMATION_EVENTS",
    "EVENT_ROWS",
    "INTERACTIONS",
    "ITEM_EVENTS",
    "MESSAGE_EVENTS",
    "SYSTEM_EVENTS",
    "Event",
    "Item",
    "Line",
    "Money",
    "Name",
    "Scalar",
]
