"""The events of a message: what the log is told of each step."""

from collections.abc import Mapping
from datetime import datetime

from lingxi.messaging.nouns import Message
from lingxi.schema import Event, Name, Scalar


def message_event(
    name: Name, message: Message, now: datetime, *, attempt: int = 0, **said: Scalar
) -> Event:
    """What happened to a message, once for each attempt; nothing in it identifies a person."""
    properties: dict[str, Scalar] = {
        "message": message.id,
        "channel": message.channel,
        "template": message.template,
        "category": message.category,
    }
    optional: Mapping[str, Scalar] = {
        "version": message.template_version or None,
        "journey": message.journey or None,
        "run": message.run or None,
        "node": message.node or None,
        "coupon": message.context.get("coupon"),
        **said,
    }
    properties.update({key: value for key, value in optional.items() if value is not None})
    verb = name.value.split()[-1].lower()
    return Event(
        event_id=f"message:{message.id}:{verb}:{attempt}",
        name=name.value,
        occurred_at=now,
        received_at=now,
        subject=message.customer,
        properties=properties,
        source="messaging",
    )
