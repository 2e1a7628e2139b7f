"""A parcel: the messages of one request, each with its own bytes, before anyone knows whose."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from lingxi.errors import BodyTooLarge, BodyUnreadable
from lingxi.ingest.message import Message
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.wire.mend import decode

LARGEST_EVENT = 32 * 1024
"""Bytes of one message, as the protocol has it (32 KB an event)."""
MOST_EVENTS = 2500
"""Messages of one request, as the protocol has it; those after it are set aside."""
MOST_PARTS = 4 * MOST_EVENTS
"""Messages of one request that are looked at at all: a packed kilobyte can hold 100,000 of them."""

Body = dict[str, object]
Read = Callable[[Body], Body]
"""Puts the decoded object of one message in the terms of the Segment specification."""


class Part(msgspec.Struct, frozen=True):
    """One message: its bytes, and what they say; ``body`` is empty where ``refused`` says why."""

    raw: bytes
    body: Body
    refused: DropReason | None = None


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one request brought; ``write_key`` and ``sent_at`` where the body holds them."""

    parts: Sequence[Part]
    write_key: str | None = None
    sent_at: object = None


class Sender(msgspec.Struct, frozen=True):
    """What every message of a request has in common, known only once its key was looked up."""

    source: str
    received_at: datetime
    agent: str | None = None
    address: str | None = None
    trusted: bool = False


def read_part(raw: bytes, read: Read) -> Part:
    """One message from its bytes; one that cannot be read is refused alone, its bytes kept."""
    if len(raw) > LARGEST_EVENT:
        return Part(raw, {}, DropReason.EVENT_TOO_LARGE)
    try:
        body = decode(raw)
    except BodyUnreadable:
        return Part(raw, {}, DropReason.LINE_MALFORMED)
    if not isinstance(body, dict):
        return Part(raw, {}, DropReason.LINE_MALFORMED)
    return Part(raw, read(body))


def check_count(n: int) -> None:
    """Refuse a request of more messages than any client sends, before each costs memory.

    Raises
    ------
    BodyTooLarge
        If there are more than 10,000.
    """
    if n > MOST_PARTS:
        raise BodyTooLarge(
            f"The batch has {n} messages; send at most {MOST_EVENTS} in one request."
        )


def read_parts(raws: Sequence[bytes], read: Read) -> list[Part]:
    """The messages of a batch; those after the 2,500th are refused unread.

    Raises
    ------
    BodyTooLarge
        If there are more than 10,000.
    """
    check_count(len(raws))
    parts = [read_part(raw, read) for raw in raws[:MOST_EVENTS]]
    parts += [Part(raw, {}, DropReason.BATCH_TOO_LONG) for raw in raws[MOST_EVENTS:]]
    return parts


def address_parcel(parcel: Parcel, sender: Sender) -> list[Message]:
    """The parcel's messages, now that it is known who sent them."""
    return [
        Message(
            body=part.body,
            raw=part.raw,
            received_at=sender.received_at,
            source=sender.source,
            sent_at=parcel.sent_at,
            agent=sender.agent,
            address=sender.address,
            trusted=sender.trusted,
            refused=part.refused,
        )
        for part in parcel.parts
    ]
