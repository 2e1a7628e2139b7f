"""The events of a message that has left: what its customer or their mailbox did with it."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import EMAIL, Message
from lingxi.messaging.queue import read_message
from lingxi.messaging.tables import message as table
from lingxi.schema import Event, Name, Scalar


def find_message(tx: sa.Connection, message_id: str) -> Message | None:
    """The message of an id; nothing for a test or one that was erased."""
    row = tx.execute(sa.select(table).where(table.c.id == message_id)).mappings().one_or_none()
    return None if row is None else read_message(row)


def sent_at(tx: sa.Connection, message_id: str) -> datetime | None:
    """When a message was handed over; nothing where that is not known."""
    query = sa.select(table.c.ended_at, table.c.sent_at).where(table.c.id == message_id)
    row = tx.execute(query).one_or_none()
    return None if row is None else row[0] or row[1]


def mail_event(
    tx: sa.Connection,
    name: Name,
    message_id: str,
    customer: int,
    now: datetime,
    key: str,
    said: Mapping[str, Scalar],
) -> Event:
    """What happened to a message; ``key`` tells it from other happenings of the same name.

    The event is that of the customer that the message was for, and of where it came from.
    """
    found = find_message(tx, message_id)
    message = found or Message(
        id=message_id, customer=customer, channel=EMAIL, template="-", queued_at=now
    )
    event = message_event(name, message, now)
    verb = name.value.split()[-1].lower()
    return msgspec.structs.replace(
        event,
        event_id=f"mail:{message_id}:{verb}:{key}"[:200],
        properties={**event.properties, **said},
    )
