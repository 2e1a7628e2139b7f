"""A file of any form as records: what each line says, by the names of its columns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lingxi.errors import FileUnreadable
from lingxi.ingest.delimited_parts import read_parts
from lingxi.ingest.files.json_lines import JsonPart, Record, read_json
from lingxi.ingest.files.nested import spread, to_plain
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.raw import Malformed, RawTable, is_missing
from lingxi.ingest.reading import detect_form, read_table, table_to_raw


class Whole(dict[str, object]):
    """A record that is a message of the Segment specification already, and no row of a table."""


_MESSAGE_TYPES = frozenset({"track", "identify", "page", "screen", "group", "alias"})
_PERSON = ("userId", "anonymousId")
_MOMENT = ("timestamp", "originalTimestamp", "messageId")


@dataclass(frozen=True)
class Part:
    """Some lines of a file.

    ``headers`` are the columns of its table, those included in which no line has a cell;
    ``decimal_hint`` is the mark that its form suggests.
    """

    records: list[Record]
    headers: tuple[str, ...] = ()
    malformed: tuple[Malformed, ...] = ()
    decimal_hint: str = "."


@dataclass(frozen=True)
class RecordFile:
    """A file that can be read more than once, part by part, always in the same parts."""

    path: Path
    size: int
    options: ImportOptions
    form: str
    n_lines: int | None

    def parts(self) -> Iterator[Part]:
        """The parts in order; records bear the numbers of their lines."""
        if self.form == "json":
            for part in read_json(self.path, self.size):
                yield _to_part(part)
        elif self.form == "parquet":
            yield from _read_parquet(self.path, self.size)
        elif self.form == "text":
            options = self.options
            tables = read_parts(self.path, encoding=options.encoding, delimiter=options.delimiter)
            yield from _fill_up(
                (part for each in tables for part in _split(each, self.size)), self.size
            )
        else:
            yield from _split(read_table(self.path, sheet=self.options.sheet), self.size)

    def empty(self) -> FileUnreadable:
        """The error for a file without a line."""
        return FileUnreadable(f"{self.path} holds no line.")


def open_records(path: Path, size: int, options: ImportOptions) -> RecordFile:
    """A file as parts of ``size`` lines.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    """
    form = detect_form(path)
    n_lines = None
    if form == "xml":
        raise FileUnreadable(
            f"{path} is an XML file; export it as CSV, JSON lines, Parquet or .xlsx."
        )
    if form == "parquet":
        try:
            n_lines = pq.ParquetFile(path).metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from error
    return RecordFile(path, size, options, form, n_lines)


def is_message(record: dict[str, object]) -> bool:
    """Whether a record is a message of the Segment specification already, and no row of a table.

    >>> is_message({"type": "track", "event": "Quiz Finished", "userId": "u1", "properties": {}})
    True
    >>> is_message({"event": "Quiz Finished", "user_id": "u1", "time": "2026-01-01"})
    False
    """
    kind = record.get("type")
    named = any(record.get(name) for name in _PERSON)
    if isinstance(kind, str) and kind.lower() in _MESSAGE_TYPES:
        return named or any(
            isinstance(record.get(n), dict) for n in ("properties", "traits", "context")
        )
    if isinstance(record.get("properties"), dict) and record.get("event"):
        return True
    if named and isinstance(record.get("traits"), dict):
        return True
    return bool(named and record.get("event") and any(record.get(name) for name in _MOMENT))


def _to_part(part: JsonPart) -> Part:
    records: list[Record] = []
    headers: dict[str, None] = {}
    for number, record in part.records:
        if is_message(record):
            records.append((number, Whole(record)))
            continue
        flat = spread(record)
        headers.update(dict.fromkeys(flat))
        records.append((number, _drop_missing(flat)))
    return Part(records, tuple(headers), part.malformed)


def _drop_missing(record: dict[str, object]) -> dict[str, object]:
    return {
        name: value
        for name, value in record.items()
        if not (isinstance(value, str) and is_missing(value))
    }


def _read_parquet(path: Path, size: int) -> Iterator[Part]:
    number = 0
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=size):
            table = pa.Table.from_batches([batch])
            if any(pa.types.is_nested(field.type) for field in batch.schema):
                yield _read_nested(table, number)
            else:
                yield from _split(table_to_raw(table), size, number)
            number += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise _damaged(path, error) from error


def _read_nested(table: pa.Table, before: int) -> Part:
    records: list[Record] = []
    for number, row in enumerate(table.to_pylist(), start=before + 1):
        plain = {str(name): to_plain(value) for name, value in row.items()}
        record = {name: value for name, value in plain.items() if value is not None}
        if record:
            records.append((number, record))
    part = _to_part(JsonPart(records))
    flat = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
    return replace(part, headers=tuple(dict.fromkeys([*flat, *part.headers])))


def _damaged(path: Path, error: Exception) -> FileUnreadable:
    return FileUnreadable(f"{path} is damaged or cut short and cannot be read as Parquet: {error}")


def _split(table: RawTable, size: int, before: int = 0) -> Iterator[Part]:
    """A table in parts, numbered after ``before`` lines; malformed rows come with the first."""
    columns = {name: column.decode() for name, column in table.columns.items()}
    headers, rows = list(columns), (table.rows + before).tolist()
    lines = zip(*columns.values(), strict=True)
    records: list[Record] = []
    malformed = table.malformed
    for number, cells in zip(rows, lines, strict=True):
        pairs = zip(headers, cells, strict=True)
        records.append((number, {name: cell for name, cell in pairs if cell is not None}))
        if len(records) == size:
            yield Part(records, tuple(headers), malformed, table.decimal_hint)
            records, malformed = [], ()
    if records or malformed:
        yield Part(records, tuple(headers), malformed, table.decimal_hint)


def _fill_up(parts: Iterable[Part], size: int) -> Iterator[Part]:
    """The same lines in parts of just this size, but for the last."""
    held: Part | None = None
    for part in parts:
        if held is not None:
            malformed = (*held.malformed, *part.malformed)
            part = replace(part, records=held.records + part.records, malformed=malformed)
        while len(part.records) >= size:
            yield replace(part, records=part.records[:size])
            part = replace(part, records=part.records[size:], malformed=())
        held = part if part.records or part.malformed else None
    if held is not None:
        yield held
