"""The binary file that Gorse's ``/api/dump`` writes, read without a library.

A stream of little-endian 64-bit numbers: -1, -2 and -3 begin users, items and feedback, 0 ends the
file, and any other is the length of the protocol buffer that follows.
"""

import struct
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import msgspec

from lingxi.errors import FileUnreadable
from lingxi.gorse.moments import show_moment

STREAMS: Mapping[int, str] = {-1: "user", -2: "item", -3: "feedback"}
_LARGEST = 64 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_VARINT = 70
Value = int | float | bytes
Wire = dict[int, list[Value]]
"""The values of each field by its number, in their order; eight bytes are a number of double
precision."""


def is_dump(start: bytes) -> bool:
    """Whether a file begins as a dump does.

    >>> is_dump(struct.pack("<q", -1)), is_dump(b'{"UserId": "1"}')
    (True, False)
    """
    return len(start) >= 8 and struct.unpack("<q", start[:8])[0] in STREAMS


def read_dump(file: BinaryIO) -> Iterator[tuple[str, dict[str, object]]]:
    """Every record of a dump: ``user``, ``item`` or ``feedback``, and its fields as in JSON.

    Raises
    ------
    FileUnreadable
        If the file ends early or holds what no dump does.
    """
    kind = ""
    while size := _read_number(file):
        if size < 0:
            if size not in STREAMS:
                raise FileUnreadable(f"The dump has a part {size} that no version of Gorse writes.")
            kind = STREAMS[size]
            continue
        if not kind or size > _LARGEST:
            raise FileUnreadable("The file begins as a dump of Gorse but is none.")
        raw = file.read(size)
        if len(raw) < size:
            raise FileUnreadable("The dump ends in the middle of a record; take it again.")
        yield kind, _READERS[kind](read_wire(raw))


def _read_number(file: BinaryIO) -> int:
    raw = file.read(8)
    if len(raw) < 8:
        raise FileUnreadable("The dump ends before its end mark; take it again.")
    number: int = struct.unpack("<q", raw)[0]
    return number


def read_wire(raw: bytes) -> Wire:
    """The fields of one protocol buffer, by number.

    Source: Protocol Buffers, "Encoding".

    Raises
    ------
    FileUnreadable
        If it is none.

    Examples
    --------
    >>> read_wire(bytes([0x0A, 2]) + b"ab" + bytes([0x18, 1]))
    {1: [b'ab'], 3: [1]}
    """
    fields: Wire = {}
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        value: Value
        match tag & 7:
            case 0:
                value, at = _read_varint(raw, at)
            case 1:
                part, at = _cut(raw, at, 8)
                value = struct.unpack("<d", part)[0]
            case 2:
                length, at = _read_varint(raw, at)
                value, at = _cut(raw, at, length)
            case 5:
                value, at = _cut(raw, at, 4)
            case _:
                raise FileUnreadable("A record of the dump is damaged.")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(raw) and shift < _LONGEST_VARINT:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise FileUnreadable("A record of the dump is damaged.")


def _cut(raw: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(raw):
        raise FileUnreadable("A record of the dump is damaged.")
    return raw[at : at + length], at + length


def _text(fields: Wire, number: int) -> str:
    value = fields.get(number, [b""])[-1]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _json(fields: Wire, number: int) -> object:
    text = _text(fields, number)
    try:
        return msgspec.json.decode(text) if text else None
    except msgspec.DecodeError:
        return text


def _moment(fields: Wire, number: int) -> str:
    """A ``google.protobuf.Timestamp`` as text."""
    value = fields.get(number, [b""])[-1]
    if not isinstance(value, bytes):
        return ""
    inner = read_wire(value)
    seconds, nanos = (_signed(inner.get(n, [0])[-1]) for n in (1, 2))
    try:
        return show_moment(_EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1_000))
    except OverflowError:
        return ""


def _signed(value: Value) -> int:
    if not isinstance(value, int):
        return 0
    return value - (1 << 64) if value >= 1 << 63 else value


def _read_user(fields: Wire) -> dict[str, object]:
    subscribe = [v.decode("utf-8", "replace") for v in fields.get(4, []) if isinstance(v, bytes)]
    found: dict[str, object] = {
        "UserId": _text(fields, 1),
        "Labels": _json(fields, 2),
        "Comment": _text(fields, 3),
    }
    return {**found, "Subscribe": subscribe} if subscribe else found


def _read_item(fields: Wire) -> dict[str, object]:
    categories = [v.decode("utf-8", "replace") for v in fields.get(4, []) if isinstance(v, bytes)]
    return {
        "ItemId": _text(fields, 2),
        "IsHidden": bool(fields.get(3, [0])[-1]),
        "Categories": categories,
        "Timestamp": _moment(fields, 5),
        "Labels": _json(fields, 6),
        "Comment": _text(fields, 7),
    }


def _read_feedback(fields: Wire) -> dict[str, object]:
    """Newer versions put a value before the moment; it is left out where it is 0."""
    fifth = fields.get(5, [0.0])[-1]
    shift = 0 if isinstance(fifth, bytes) else 1
    return {
        "FeedbackType": _text(fields, 2),
        "UserId": _text(fields, 3),
        "ItemId": _text(fields, 4),
        "Value": fifth if isinstance(fifth, float) else 0.0,
        "Timestamp": _moment(fields, 5 + shift),
        "Comment": _text(fields, 6 + shift),
    }


_READERS = {"user": _read_user, "item": _read_item, "feedback": _read_feedback}
