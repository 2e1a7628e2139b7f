"""Lines of JSON, and files that are one JSON array: an object a record."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from lingxi.errors import FileUnreadable
from lingxi.ingest.files.nested import explode, list_headers, to_cells
from lingxi.ingest.raw import Malformed, RawTable, TableBuilder, build_table
from lingxi.ingest.text import Text

_LONGEST_MALFORMED = 4000
_LARGEST_ARRAY = 1 << 30
_BOM = b"\xef\xbb\xbf"
_PART = 50_000
_FEW = 5_000
Record = tuple[int, dict[str, object]]
"""The number of a line, counted from 1, and its object."""


@dataclass(frozen=True)
class JsonPart:
    """Some lines: those that are objects, and those that are not."""

    records: list[Record]
    malformed: tuple[Malformed, ...] = ()


def read_json(path: Path, size: int = _PART) -> Iterator[JsonPart]:
    """The objects of a file in parts of at most ``size`` lines.

    Raises
    ------
    FileUnreadable
        If the file is one array and is damaged, or larger than 1 GB.
    """
    decode = msgspec.json.Decoder(dict[str, object]).decode
    if _is_array(path):
        yield from _read_array(path, size)
        return
    number = 0
    with path.open("rb") as file:
        while batch := list(islice(file, size)):
            records: list[Record] = []
            malformed: list[Malformed] = []
            for line in batch:
                number += 1
                text = line.strip().removeprefix(_BOM)
                if not text:
                    continue
                try:
                    records.append((number, decode(text)))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    shown = text[:_LONGEST_MALFORMED].decode("utf-8", "replace")
                    malformed.append(Malformed(number, shown))
            yield JsonPart(records, tuple(malformed))


def _is_array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip(_BOM + b" \r\n\t").startswith(b"[")


def _read_array(path: Path, size: int) -> Iterator[JsonPart]:
    if path.stat().st_size > _LARGEST_ARRAY:
        raise FileUnreadable(
            f"{path} is one JSON array of more than 1 GB; write one object a line instead (.jsonl)."
        )
    try:
        entries = msgspec.json.decode(path.read_bytes().removeprefix(_BOM), type=list[object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileUnreadable(
            f"{path} is one JSON array and is damaged: {error}. With one object a line (.jsonl) "
            "only the damaged lines would be set aside."
        ) from error
    for start in range(0, len(entries), size):
        records: list[Record] = []
        malformed: list[Malformed] = []
        for number, entry in enumerate(entries[start : start + size], start=start + 1):
            if isinstance(entry, dict):
                records.append((number, entry))
            else:
                shown = msgspec.json.encode(entry).decode()[:_LONGEST_MALFORMED]
                malformed.append(Malformed(number, shown))
        yield JsonPart(records, tuple(malformed))


def read_json_table(path: Path) -> RawTable:
    """A whole file as a table; an order with its lines in it becomes as many rows.

    Raises
    ------
    FileUnreadable
        If no line holds an object.
    """
    builder = JsonTable()
    for part in read_json(path, _FEW):
        builder.add(part.records)
        builder.malformed += part.malformed
    if not builder.n_records:
        raise FileUnreadable(f"{path} holds no line that is a JSON object.")
    return builder.build()


class JsonTable:
    """Puts records together as a table, orders by their lines; rows bear the numbers of their
    records."""

    def __init__(self) -> None:
        self.n_records = 0
        self.malformed: list[Malformed] = []
        self._columns = TableBuilder()
        self._numbers = array("q")

    def add(self, records: Sequence[Record]) -> None:
        """Add some records."""
        rows: list[dict[str, str]] = []
        for number, record in records:
            for line in explode(record):
                self._numbers.append(number)
                rows.append(to_cells(line))
        columns = {name: Text.of(row.get(name) for row in rows) for name in list_headers(rows)}
        self._columns.add(columns, len(rows))
        self.n_records += len(records)

    def build(self) -> RawTable:
        """The table; the builder is not to be used again."""
        columns = self._columns.build()
        table = build_table(list(columns), list(columns.values()))
        kept = np.frombuffer(self._numbers, dtype=np.int64)[table.rows - 1]
        return RawTable(table.columns, kept, tuple(self.malformed))
