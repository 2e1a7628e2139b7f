"""Excel workbooks: the first sheet that holds a table."""

import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Protocol

from openpyxl.reader.excel import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from lingxi.errors import FileUnreadable, InvalidInput, did_you_mean
from lingxi.ingest.raw import Malformed, RawTable, build_table, is_missing
from lingxi.ingest.text import TextBuilder

_LARGEST = 4 << 30
_DEEPEST_HEADER = 20


class _Sheet(Protocol):
    """What is used of a sheet of ``openpyxl``, which has no types of its own."""

    title: str

    def reset_dimensions(self) -> None:
        """Forget the size that the file states, which is often wrong."""

    def iter_rows(self, *, values_only: bool) -> Iterable[tuple[object, ...]]:
        """All rows."""


class _Book(Protocol):
    worksheets: list[_Sheet]

    def close(self) -> None:
        """Let go of the file."""


_OPEN: Callable[..., _Book] = load_workbook


def read_workbook(path: Path, sheet_name: str = "") -> RawTable:
    """Read one sheet, the first with a table if none is named; rows above its header are left out.

    Raises
    ------
    FileUnreadable
        If the file is no workbook, unpacks to more than 4 GB or holds no table.
    InvalidInput
        If it has no sheet of the name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LARGEST:
                raise FileUnreadable(f"{path} unpacks to more than 4 GB; save it as CSV.")
        book = _OPEN(path, read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise FileUnreadable(f"{path} is not a readable Excel workbook: {error}.") from error
    try:
        names = [sheet.title for sheet in book.worksheets]
        if sheet_name and sheet_name not in names:
            raise InvalidInput(
                f"{path} has no sheet {sheet_name!r}{did_you_mean(sheet_name, names)}. "
                f"Its sheets are: {', '.join(names)}."
            )
        for sheet in book.worksheets:
            if sheet_name and sheet.title != sheet_name:
                continue
            sheet.reset_dimensions()
            table = _read_rows(sheet.iter_rows(values_only=True))
            if table is not None:
                return table
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError, EOFError) as error:
        raise FileUnreadable(f"{path} is a damaged Excel workbook: {error}.") from error
    finally:
        book.close()
    raise FileUnreadable(f"{path} holds no sheet with a header and at least one line below it.")


def _read_rows(rows: Iterable[tuple[object, ...]]) -> RawTable | None:
    source = iter(rows)
    headers: list[str] = []
    for depth, row in enumerate(source):
        cells = [write_cell(cell) for cell in row]
        # a title above the table fills one cell; a header fills at least two
        if sum(cell is not None for cell in cells) > 1 or depth >= _DEEPEST_HEADER:
            while cells and cells[-1] is None:
                cells.pop()
            headers = [cell or "" for cell in cells]
            break
    if not headers:
        return None
    width = len(headers)
    columns = [TextBuilder() for _ in range(width)]
    malformed: list[Malformed] = []
    for number, row in enumerate(source, start=1):
        cells = [write_cell(cell) for cell in row]
        if any(cell is not None for cell in cells[width:]):
            malformed.append(Malformed(number, ",".join(cell or "" for cell in cells)[:4000]))
            continue
        for place, column in enumerate(columns):
            column.append(cells[place] if place < len(cells) else None)
    if not len(columns[0]) and not malformed:
        return None
    return build_table(headers, [column.build() for column in columns], malformed=malformed)


def write_cell(cell: object) -> str | None:
    """A cell's value as text: whole floats without ``.0``, moments in ISO 8601.

    >>> write_cell(17850.0), write_cell(datetime(2010, 12, 1, 8, 26)), write_cell(" ")
    ('17850', '2010-12-01 08:26:00', None)
    """
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    text = str(cell)
    return None if is_missing(text) else text
