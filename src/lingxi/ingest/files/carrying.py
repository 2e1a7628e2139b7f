"""Cleaned events of a file on their way from one process to another, in few bytes and fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from lingxi.ingest.carried import Carried, Judged, carry, restore
from lingxi.ingest.files.keeping import Noted
from lingxi.ingest.files.lines import Learnt
from lingxi.ingest.files.units import Unit
from lingxi.ingest.message import Cleaned, Message


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One cleaned event; ``fields`` is the place of its set of fields in the batch's."""

    place: int
    rows: list[int]
    fields: int
    raw: bytes
    carried: Carried


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Row]).decode


@dataclass(frozen=True)
class Batch:
    """Units with what became of each, packed; ``read`` lines of the file are behind it."""

    n: int
    rows: bytes
    fields: list[frozenset[str]]
    others: dict[int, tuple[Unit, Judged]]
    """What was set aside, and what does not fit a row."""
    noted: Noted
    read: int
    learnt: Learnt | None


def pack(
    units: Sequence[Unit],
    judged: Sequence[Judged],
    noted: Noted,
    read: int,
    learnt: Learnt | None,
) -> Batch:
    """A batch; what only a line that was set aside is asked for stays behind."""
    fields: dict[frozenset[str], int] = {}
    rows: list[_Row] = []
    others: dict[int, tuple[Unit, Judged]] = {}
    for place, (unit, each) in enumerate(zip(units, judged, strict=True)):
        if isinstance(each, Cleaned):
            rows.append(_to_row(place, unit, each, fields.setdefault(unit.fields, len(fields))))
        else:
            others[place] = unit, each
    try:
        packed = _encode(rows)
    except (OverflowError, TypeError, ValueError):  # a number too large for the form
        packed = _encode([])
        others = dict(enumerate(zip(units, judged, strict=True)))
    return Batch(len(units), packed, list(fields), others, noted, read, learnt)


def _to_row(place: int, unit: Unit, each: Cleaned, fields: int) -> _Row:
    return _Row(place, unit.rows, fields, each.message.raw, carry(each))


def unpack(batch: Batch, source: str, received_at: datetime) -> tuple[list[Unit], list[Judged]]:
    """The units of a batch, and what became of each, in their order."""
    units: list[Unit] = []
    judged: list[Judged] = []
    rows = iter(_decode(batch.rows))
    for place in range(batch.n):
        if place in batch.others:
            unit, each = batch.others[place]
        else:
            row = next(rows)
            unit = Unit(row.rows, [], {}, fields=batch.fields[row.fields])
            each = _from_row(row, source, received_at)
        units.append(unit)
        judged.append(each)
    return units, judged


def _from_row(row: _Row, source: str, received_at: datetime) -> Cleaned:
    message = Message(
        body={}, raw=row.raw, received_at=received_at, source=source, trusted=True, recorded=True
    )
    return restore(row.carried, message)
