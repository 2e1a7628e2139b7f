"""One record of a topic."""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from confluent_kafka import Message

_NO_TIME = 0


class Record(msgspec.Struct, frozen=True, gc=False):
    """Its place, its bytes, and when it was written (milliseconds since 1970, 0 if unknown)."""

    partition: int
    offset: int
    value: bytes
    written_ms: int = 0


def to_record(message: "Message") -> Record:
    """The record of a message that carries no error."""
    partition, offset = message.partition(), message.offset()
    assert partition is not None
    assert offset is not None
    kind, written = message.timestamp()
    return Record(partition, offset, message.value() or b"", 0 if kind == _NO_TIME else written)
