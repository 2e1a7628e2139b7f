"""Delimited text: which encoding, which delimiter, is there a header; then rows of cells."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv as pacsv

from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.ingest.raw import Malformed, RawTable, build_table, unique_headers
from lingxi.ingest.text import Text

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SPACES = " "
"""A run of them between two cells."""
_DELIMITERS = (",", ";", "\t", "|", "^")
_SAMPLE = 1 << 16
_CHUNK = 1 << 22
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_BLOCK = 1 << 25
_CELL_NUMBER = re.compile(r"\s*[-+]?[\d.,/: -]*\d[\d.,/: TZ-]*\s*")
_LONGEST_MALFORMED = 4000
_MOST_NEWLINES = 20


def detect_encoding(path: Path) -> str:
    """The encoding of a text file, judged over all of it.

    A byte-order mark decides; else UTF-8 if every byte fits; else GB 18030 if its high bytes come
    in pairs; else Windows-1252, or Latin-1 where that has no character.

    Raises
    ------
    FileUnreadable
        If the file is not text.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if b"\x00" in head:
        zeros = head.count(b"\x00")
        if zeros < 0.05 * len(head) and _decodes(path, "utf-8"):
            return "utf-8"  # a stray zero byte in a text file
        if zeros < 0.2 * len(head):
            raise FileUnreadable(f"{path} is not a text file: it holds zero bytes.")
        return "utf-16-le" if head[1::2].count(0) >= head[0::2].count(0) else "utf-16-be"
    if _decodes(path, "utf-8"):
        return "utf-8"
    with path.open("rb") as file:
        runs = _HIGH_RUN.findall(file.read(16 * _CHUNK))
    paired = sum(len(run) for run in runs if len(run) % 2 == 0)
    if paired >= 0.8 * sum(len(run) for run in runs) and _decodes(path, "gb18030"):
        return "gb18030"
    return "cp1252" if _decodes(path, "cp1252") else "latin-1"


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def detect_delimiter(sample: str) -> str:
    """The delimiter that cuts the first rows into the same number of cells, or a run of spaces.

    >>> detect_delimiter("a;b;c\\n1,5;2;3\\n")
    ';'
    >>> detect_delimiter(" id  date\\n 1  19970101\\n")
    ' '
    """
    lines = [line for line in sample.splitlines() if line.strip()][:50]
    best, best_rank = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(counts), key=lambda n: (counts.count(n), n))
        if usual > 1:
            rank = (round(counts.count(usual) / len(counts), 1), usual)
            if rank > best_rank:
                best, best_rank = delimiter, rank
    if best_rank[1] == 0:
        counts = [len(line.split()) for line in lines]
        if counts and counts[0] > 1 and counts.count(counts[0]) == len(counts):
            return SPACES
    return best


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: data rows hold numbers where it holds words.

    >>> has_header([["id", "date"], ["1", "19970101"]])
    True
    >>> has_header([["00004", "19970101"], ["00005", "19970118"]])
    False
    """
    if not rows:
        return False
    numbers = sum(bool(_CELL_NUMBER.fullmatch(cell)) for cell in rows[0] if cell.strip())
    filled = sum(bool(cell.strip()) for cell in rows[0])
    return numbers < 0.5 * max(filled, 1)


@dataclass(frozen=True)
class Layout:
    """How a delimited text is written: its columns have ``names``, which its first line holds where
    it is ``headed``."""

    encoding: str
    delimiter: str
    names: Sequence[str]
    headed: bool

    def build(self, columns: Sequence[Text], malformed: Sequence[Malformed]) -> RawTable:
        """Rows of such a file; the decimal mark that they suggest goes with the delimiter."""
        hint = "," if self.delimiter == ";" else "."
        return build_table(
            self.names, columns, malformed=malformed, encoding=self.encoding, decimal_hint=hint
        )


def find_layout(path: Path, *, encoding: str = "", delimiter: str = "") -> Layout:
    """How a file is written; what is stated is taken as it is, the rest found out.

    Raises
    ------
    FileUnreadable
        If the file is empty, or cannot be read as text.
    InvalidInput
        If the stated encoding or delimiter cannot be used.
    """
    named = encoding or detect_encoding(path)
    text_head = _read_head(path, named)
    if not text_head.strip("\ufeff \r\n\t"):
        raise FileUnreadable(f"{path} is empty.")
    mark = delimiter or detect_delimiter(text_head)
    if len(mark) != 1:
        raise InvalidInput(f"The delimiter must be one character, not {mark!r}.")
    cut = mark
    if mark == SPACES:
        cut = "\t"
        text_head = "\n".join("\t".join(line.split()) for line in text_head.splitlines())
    first = next(
        csv.reader(io.StringIO(text_head.lstrip("\ufeff\r\n"), newline=None), delimiter=cut)
    )
    headed = has_header([first])
    names = unique_headers(first if headed else [""] * len(first))
    return Layout(named, mark, names, headed)


def read_delimited(path: Path, *, encoding: str = "", delimiter: str = "") -> RawTable:
    """Read a delimited text file; rows with too many or too few cells come back as malformed.

    Raises
    ------
    FileUnreadable
        If the file is empty, holds no line below its header, or cannot be read as text.
    InvalidInput
        If the stated encoding or delimiter cannot be used.
    """
    return read_whole(path, find_layout(path, encoding=encoding, delimiter=delimiter))


def read_whole(path: Path, layout: Layout) -> RawTable:
    """Read a file whose layout is known; see ``read_delimited``."""
    source: Path | bytes = path
    named = layout.encoding
    if layout.delimiter == SPACES:
        source, layout = _squeeze(path, named), replace(layout, encoding="utf-8", delimiter="\t")
    table, malformed = _parse(source, path, layout)
    columns = [Text.from_arrow(table.column(name)) for name in layout.names]
    if has_swallowed((c.values for c in columns), malformed, layout):
        content = source if isinstance(source, bytes) else path.read_bytes()
        text = content.decode("utf-8-sig" if layout.encoding == "utf-8" else layout.encoding)
        columns, malformed = parse_by_lines(text.splitlines(), path, layout)
    del table
    raw = layout.build(columns, malformed)
    if len(raw) + len(malformed) == 0:
        raise no_line(path)
    return raw


def no_line(path: Path) -> FileUnreadable:
    """The error for a file of names of columns only."""
    return FileUnreadable(f"{path} has a header but no line below it.")


def _read_head(path: Path, encoding: str) -> str:
    try:
        with path.open(encoding=encoding, newline="") as file:
            head = file.read(_SAMPLE)
            return head if len(head) < _SAMPLE else head[: head.rfind("\n") + 1] or head
    except LookupError as error:
        raise InvalidInput(f"There is no text encoding {encoding!r}.") from error
    except (UnicodeError, OSError) as error:
        raise FileUnreadable(f"{path} cannot be read as {encoding} text: {error}.") from error


def has_swallowed(
    columns: Iterable[Iterable[str]], malformed: Sequence[Malformed], layout: Layout
) -> bool:
    """Whether a quotation mark that nobody closed has taken whole rows into one cell.

    Such a cell is very long, or runs on to the quotation mark of the same column in a later row: it
    holds that mark, and the delimiters of just as many rows as it has line ends.
    """
    row = len(layout.names) - 1

    def holds_rows(value: str) -> bool:
        ends = value.count("\n")
        return ends > _MOST_NEWLINES or (
            ends > 0 and '"' in value and value.count(layout.delimiter) == ends * row
        )

    return any("\n" in found.text.strip() for found in malformed) or any(
        holds_rows(value) for column in columns for value in column if "\n" in value
    )


def parse_by_lines(
    lines: Iterable[str], path: Path, layout: Layout
) -> tuple[list[Text], list[Malformed]]:
    """Read line by line; a line with an odd number of quotation marks is malformed."""
    filled = [line for line in lines if not _is_blank(line, layout)]
    good, numbers, stray = filled[: int(layout.headed)], [], []
    for number, line in enumerate(filled[int(layout.headed) :], start=1):
        if line.count('"') % 2:
            stray.append(Malformed(number, line[:_LONGEST_MALFORMED]))
        else:
            good.append(line)
            numbers.append(number)
    content = "\n".join(good).encode()
    table, malformed = _parse(content, path, replace(layout, encoding="utf-8"))
    moved = [Malformed(numbers[row.row - 1], row.text) for row in malformed]
    found = sorted([*stray, *moved], key=lambda row: row.row)
    return [Text.from_arrow(table.column(name)) for name in layout.names], found


def _is_blank(line: str, layout: Layout) -> bool:
    """Whether nothing but delimiters stands in a line."""
    return not line.strip(layout.delimiter + " \r\n")


def _squeeze(path: Path, encoding: str) -> bytes:
    """Runs of spaces as one tab."""
    text = path.read_text(encoding=encoding)
    rows = ("\t".join(line.split()) for line in text.splitlines())
    return "\n".join(rows).encode()


def _parse(source: Path | bytes, path: Path, layout: Layout) -> tuple[pa.Table, list[Malformed]]:
    """A whole file, or what it holds."""
    malformed: list[Malformed] = []
    with open_batches(source, path, layout, malformed, block=_BLOCK) as batches:
        return pa.Table.from_batches(batches, schema=batches.schema), malformed


@contextmanager
def open_batches(
    source: Path | bytes, path: Path, layout: Layout, malformed: list[Malformed], *, block: int
) -> Iterator[pacsv.CSVStreamingReader]:
    """The rows in batches of about ``block`` bytes, every cell as text; rows that have not as many
    cells as the layout has names are put into ``malformed`` as they are met.

    Raises
    ------
    FileUnreadable
        Also while the batches are read.
    """

    before = int(layout.headed)

    def note(row: pacsv.InvalidRow) -> Literal["skip"]:
        nonlocal before
        if _is_blank(row.text, layout):
            before += 1
        else:
            number = (row.number or 0) - before
            malformed.append(Malformed(number, row.text[:_LONGEST_MALFORMED]))
        return "skip"

    named = layout.encoding
    cell = pa.dictionary(pa.int32(), pa.string())
    try:
        yield pacsv.open_csv(
            io.BytesIO(source) if isinstance(source, bytes) else str(source),
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=block,
                column_names=list(layout.names),
                skip_rows_after_names=int(layout.headed),
                encoding="utf8" if named in ("utf-8", "utf-8-sig") else named,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(layout.names, cell), strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeError, OSError, LookupError) as error:
        raise FileUnreadable(f"{path} cannot be read as delimited text: {error}") from error
