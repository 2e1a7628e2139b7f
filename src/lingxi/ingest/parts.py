"""Large files part by part: Parquet in row groups, lines of JSON, anything else at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lingxi.errors import FileUnreadable
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.raw import Malformed, RawTable, build_table, is_missing
from lingxi.ingest.reading import detect_form, read_parquet_parts, read_table
from lingxi.ingest.text import Text

_LONGEST_MALFORMED = 4000
_NESTED = ("properties", "context", "traits")


@dataclass(frozen=True)
class Source:
    """A file that can be read more than once, part by part."""

    path: Path
    size: int
    options: ImportOptions
    form: str
    n_lines: int | None

    def parts(self) -> Iterator[RawTable]:
        """The parts in order; rows are numbered through the whole file."""
        if self.form == "parquet":
            yield from read_parquet_parts(self.path, rows=self.size)
        elif self.form == "jsonl":
            yield from _read_json_lines(self.path, self.size)
        else:
            yield from split_table(
                read_table(
                    self.path,
                    encoding=self.options.encoding,
                    delimiter=self.options.delimiter,
                    sheet=self.options.sheet,
                ),
                self.size,
            )

    def pairs(self, left: str, right: str) -> set[tuple[str, str]]:
        """The different pairs of cells in two columns, where both are there."""
        found: set[tuple[str, str]] = set()
        if self.form == "parquet":
            table = pq.read_table(self.path, columns=[left, right])
            texts = [Text.from_arrow(table.column(name)) for name in (left, right)]
            return _pair(texts[0], texts[1])
        for part in self.parts():
            if left in part.columns and right in part.columns:
                found |= _pair(part.columns[left], part.columns[right])
        return found

    def empty(self) -> FileUnreadable:
        """The error for a file without a line."""
        return FileUnreadable(f"{self.path} holds no line.")


def _pair(left: Text, right: Text) -> set[tuple[str, str]]:
    both = ~left.missing & ~right.missing
    codes = np.unique(np.column_stack([left.codes[both], right.codes[both]]), axis=0)
    return {(left.values[a], right.values[b]) for a, b in codes.tolist()}


def read_parts(path: Path, size: int, options: ImportOptions) -> Source:
    """A file as a source of parts of ``size`` lines.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form than its name says.
    """
    form = detect_form(path)
    n_lines = None
    if form == "parquet":
        try:
            n_lines = pq.ParquetFile(path).metadata.num_rows
        except (pa.ArrowException, OSError) as error:
            raise FileUnreadable(
                f"{path} is damaged or cut short and cannot be read as Parquet: {error}"
            ) from error
    elif path.suffix.lower() in (".jsonl", ".ndjson", ".json") or _begins_with_brace(path):
        form = "jsonl"
    return Source(path, size, options, form, n_lines)


def _begins_with_brace(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


def split_table(table: RawTable, size: int) -> Iterator[RawTable]:
    """A table in parts; malformed rows come with the first."""
    for start in range(0, max(len(table), 1), size):
        lines = np.arange(start, min(start + size, len(table)), dtype=np.int64)
        columns = {name: _compact(column.take(lines)) for name, column in table.columns.items()}
        malformed = table.malformed if start == 0 else ()
        yield RawTable(columns, table.rows[lines], malformed, table.encoding, table.decimal_hint)


def _compact(column: Text) -> Text:
    """The same cells with only the values that they use."""
    return Text.of(column.decode())


def _read_json_lines(path: Path, size: int) -> Iterator[RawTable]:
    decode = msgspec.json.Decoder(dict[str, object]).decode
    number = 0
    with path.open("rb") as file:
        while batch := list(islice(file, size)):
            records: list[Mapping[str, str]] = []
            rows: list[int] = []
            malformed: list[Malformed] = []
            for line in batch:
                number += 1
                text = line.strip().removeprefix(b"\xef\xbb\xbf")
                if not text:
                    continue
                try:
                    records.append(_flatten(decode(text)))
                    rows.append(number)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    shown = text[:_LONGEST_MALFORMED].decode("utf-8", "replace")
                    malformed.append(Malformed(number, shown))
            headers = list(dict.fromkeys(name for record in records for name in record))
            table = build_table(headers, [Text.of(r.get(h) for r in records) for h in headers])
            numbered = np.asarray(rows, dtype=np.int64)[table.rows - 1]
            yield RawTable(table.columns, numbered, tuple(malformed))


def _flatten(record: Mapping[str, object]) -> dict[str, str]:
    """A record's cells as text; what lies in ``properties`` or ``context`` comes up one level."""
    flat: dict[str, str] = {}
    for name in _NESTED:
        inner = record.get(name)
        if isinstance(inner, dict):
            flat.update(_cells(inner))
    flat.update(_cells({k: v for k, v in record.items() if k not in _NESTED}))
    return flat


def _cells(record: Mapping[str, object]) -> dict[str, str]:
    cells = {}
    for name, value in record.items():
        if value is None or isinstance(value, dict | list):
            continue
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if not is_missing(text):
            cells[str(name)] = text
    return cells
