"""Files of Gorse's data: its binary dump, or JSON as its bulk exports have it, plain or gzipped."""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from lingxi.errors import FileUnreadable
from lingxi.gorse.dump import is_dump, read_dump

_GZIP = b"\x1f\x8b"
_SHOWN = 500
_BLANK = b" \t\r\n\xef\xbb\xbf"
_LONGEST_LINE = 16 * 1024 * 1024
_NAMES = {
    name.lower(): name
    for name in (
        "UserId",
        "ItemId",
        "FeedbackType",
        "Labels",
        "Comment",
        "Subscribe",
        "IsHidden",
        "Categories",
        "Timestamp",
        "Value",
    )
} | {"timestamp": "Timestamp", "time_stamp": "Timestamp"}
_IDS = ("UserId", "ItemId", "FeedbackType")


@dataclass(frozen=True)
class Record:
    """One record: ``kind`` is user, item or feedback, empty where nobody can tell; ``text`` is how
    it stood in the file, as far as that can be shown."""

    row: int
    kind: str
    fields: Mapping[str, object]
    text: str


def read_records(path: Path) -> Iterator[Record]:
    """Every record of a file, in its order.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty or damaged.
    """
    try:
        with path.open("rb") as file:
            opened: BinaryIO = file
            if file.read(2) == _GZIP:
                file.seek(0)
                opened = cast(BinaryIO, gzip.GzipFile(fileobj=file))
            else:
                file.seek(0)
            yield from _read(path, opened)
    except (OSError, EOFError) as error:
        raise FileUnreadable(f"{path} cannot be read: {error}.") from error


def _read(path: Path, file: BinaryIO) -> Iterator[Record]:
    start = file.read(8)
    file.seek(0)
    if not start.strip(_BLANK):
        raise FileUnreadable(f"{path} is empty.")
    if is_dump(start):
        for row, (kind, fields) in enumerate(read_dump(file), 1):
            yield Record(row, kind, fields, msgspec.json.encode(fields).decode()[:_SHOWN])
    elif start.lstrip(_BLANK)[:1] == b"[":
        yield from _read_array(path, file.read())
    else:
        yield from _read_lines(file)


def _read_array(path: Path, raw: bytes) -> Iterator[Record]:
    try:
        parts = msgspec.json.decode(raw.strip(_BLANK), type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"{path} is not JSON: {error}.") from error
    for row, part in enumerate(parts, 1):
        yield _read_record(row, bytes(part))


def _read_lines(file: BinaryIO) -> Iterator[Record]:
    row = 0
    while line := file.readline(_LONGEST_LINE):
        row += 1
        if text := line.strip(_BLANK):
            yield _read_record(row, text)


def _read_record(row: int, raw: bytes) -> Record:
    text = raw[:_SHOWN].decode("utf-8", "replace")
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return Record(row, "", {}, text)
    fields = {_name(name): value for name, value in found.items()}
    for name in _IDS:
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            fields[name] = str(value)
    return Record(row, _tell_kind(fields), fields, text)


def _name(name: str) -> str:
    """A field's name as Gorse writes it, for one written in another way.

    >>> _name("user_id"), _name("feedback_type")
    ('UserId', 'FeedbackType')
    """
    return _NAMES.get(name.lower()) or _NAMES.get(name.replace("_", "").lower(), name)


def _tell_kind(fields: Mapping[str, object]) -> str:
    if "FeedbackType" in fields:
        return "feedback"
    return "item" if "ItemId" in fields else "user" if "UserId" in fields else ""
