"""One door to every kind of file: CSV and its relatives, JSON lines, Parquet, Excel workbooks."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lingxi.errors import FileUnreadable
from lingxi.ingest.delimited_parts import read_gathered
from lingxi.ingest.files.json_lines import JsonTable, read_json_table
from lingxi.ingest.files.nested import to_plain
from lingxi.ingest.raw import RawTable, build_table, gather
from lingxi.ingest.text import Text
from lingxi.ingest.workbook import read_workbook

_SIGNS = (
    (b"PAR1", "parquet"),
    (b"PK\x03\x04", "xlsx"),
    (b"\xd0\xcf\x11\xe0", "xls"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "pdf"),
    (b"ARROW1", "arrow"),
    (b"SQLite format 3", "sqlite"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_PROMISES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".tab": "text",
    ".xml": "xml",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}
_BATCH, _FEW = 65_536, 5_000
"""Rows of a Parquet file that are read at once: of plain columns, and of columns with records in
them."""
_OPENS_ARRAY = re.compile(rb"\[\s*(?:[{\]]|$)")


def detect_form(path: Path) -> str:
    """``text``, ``json``, ``xml``, ``parquet`` or ``xlsx``, from the file's first bytes.

    Raises
    ------
    FileUnreadable
        If there is no file, it is empty, or its form is not what its name promises.
    """
    if path.is_dir():
        raise FileUnreadable(f"{path} is a folder; name a file.")
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise FileUnreadable(f"There is no file {path}.") from error
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be opened: {error.strerror}.") from error
    if not head:
        raise FileUnreadable(f"{path} is empty.")
    form = next((name for sign, name in _SIGNS if head.startswith(sign)), "text")
    if form == "xls":
        raise FileUnreadable(f"{path} is an old Excel file; save it as .xlsx or CSV.")
    if form == "text" and _opens_xml(head):
        form = "xml"
    elif form == "text" and _opens_json(head):
        form = "json"
    if form not in _NAMES:
        raise FileUnreadable(
            f"{path} is a {form} file; unpack or export it to CSV, JSON lines, Parquet or .xlsx "
            "first."
        )
    promised = _PROMISES.get(path.suffix.lower())
    if promised is not None and promised != form:
        raise FileUnreadable(
            f"{path} is named {path.suffix} but holds {_NAMES[form]}. "
            "Rename it, or name the file you mean."
        )
    return form


def _opens_xml(head: bytes) -> bool:
    return head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def _opens_json(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    return start.startswith(b"{") or _OPENS_ARRAY.match(start) is not None


_NO_FRACTION = re.compile(r"\.0+(?=Z?$)")
_NAMES = {
    "text": "text",
    "json": "JSON",
    "parquet": "a Parquet file",
    "xlsx": "an Excel workbook",
    "xml": "XML",
}


def read_table(path: Path, *, encoding: str = "", delimiter: str = "", sheet: str = "") -> RawTable:
    """Read a file of any supported form, every cell as text.

    Raises
    ------
    FileUnreadable
        If the file is absent, empty, damaged or of another form.
    """
    form = detect_form(path)
    if form == "xml":
        raise FileUnreadable(
            f"{path} is an XML file; export the table as CSV, JSON lines, Parquet or .xlsx."
        )
    if form == "json":
        return read_json_table(path)
    if form == "parquet":
        return read_parquet(path)
    if form == "xlsx":
        return read_workbook(path, sheet)
    return read_gathered(path, encoding=encoding, delimiter=delimiter)


def read_parquet(path: Path) -> RawTable:
    """Read a whole Parquet file; orders with their lines in a column become as many rows.

    Raises
    ------
    FileUnreadable
        If the file is damaged, cut short or holds no line.
    """
    try:
        file = pq.ParquetFile(path)
        if file.metadata.num_rows and any(
            pa.types.is_nested(field.type) for field in file.schema_arrow
        ):
            return replace(_read_nested(file), encoding="parquet")
        if file.metadata.num_rows:
            return replace(gather(_read_flat(file)), encoding="parquet")
    except (pa.ArrowException, OSError, UnicodeDecodeError, OverflowError) as error:
        raise FileUnreadable(
            f"{path} is damaged or cut short and cannot be read as Parquet: {error}"
        ) from error
    raise FileUnreadable(f"{path} has columns but no line.")


def _read_flat(file: pq.ParquetFile) -> Iterator[RawTable]:
    before = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        raw = table_to_raw(pa.Table.from_batches([batch]))
        yield replace(raw, rows=raw.rows + before)
        before += batch.num_rows


def _read_nested(file: pq.ParquetFile) -> RawTable:
    table, number = JsonTable(), 0
    for batch in file.iter_batches(batch_size=_FEW):
        rows = batch.to_pylist()
        plain = ({str(name): to_plain(value) for name, value in row.items()} for row in rows)
        table.add(list(enumerate(plain, start=number + 1)))
        number += len(rows)
    return table.build()


def table_to_raw(table: pa.Table) -> RawTable:
    """An Arrow table without nested columns, every cell as text; bytes are left out."""
    headers, columns = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            continue
        headers.append(name)
        columns.append(_write_numbers(column))
    if not headers:
        raise FileUnreadable("The Parquet file has no column of text, numbers or dates.")
    return build_table(headers, columns)


def _write_numbers(column: "pa.ChunkedArray[pa.Scalar[pa.DataType]]") -> Text:
    text = Text.from_arrow(column)
    if pa.types.is_floating(column.type):
        # 17850.0 is how tables write an integer that can be missing
        return text.apply(lambda cell: cell.removesuffix(".0"))
    if pa.types.is_timestamp(column.type):
        return text.apply(lambda cell: _NO_FRACTION.sub("", cell))
    return text
