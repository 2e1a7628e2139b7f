"""A file as it was given: every cell as text, every row numbered, nothing judged yet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.ingest.text import Mask, Text, TextBuilder, group_lines

LONGEST_MISSING = 8
"""Characters of a cell that may say that there is no value."""
_MISSING = frozenset({"", "null", "nan", "none", "n/a", "#n/a", "na", "nat", "\\n", "<na>", "-nan"})


@dataclass(frozen=True)
class Malformed:
    """A row that does not have the file's number of cells."""

    row: int
    text: str


@dataclass(frozen=True, eq=False)
class RawTable:
    """``columns``: one ``Text`` per header, equally long; ``rows``: the number in the file of each
    line, counted from 1 without the header. ``malformed`` rows are not among the columns."""

    columns: Mapping[str, Text]
    rows: NDArray[np.int64]
    malformed: tuple[Malformed, ...] = ()
    encoding: str = "utf-8"
    decimal_hint: str = "."

    @property
    def headers(self) -> tuple[str, ...]:
        """Column names, each once, in the file's order."""
        return tuple(self.columns)

    def __len__(self) -> int:
        return len(self.rows)

    def same(self, left: str, right: str) -> bool:
        """Whether two columns hold the same cells."""
        a, b = self.columns[left], self.columns[right]
        return bool(np.array_equal(a.missing, b.missing)) and a.decode() == b.decode()

    def record(self, line: int) -> dict[str, str | None]:
        """One line as it stands in the file."""
        return {header: column.get(line) for header, column in self.columns.items()}

    def number_equal_rows(self) -> NDArray[np.int64]:
        """Equal lines, equal number: all columns count, spaces around a cell do not."""
        tidy = [column.apply(str.strip) for column in self.columns.values()]
        if not tidy:
            return np.zeros(len(self), dtype=np.int64)
        return group_lines([column.codes for column in tidy])


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value.

    >>> is_missing("NaN"), is_missing(" "), is_missing("0")
    (True, True, False)
    """
    return len(cell) <= LONGEST_MISSING and cell.strip().lower() in _MISSING


def drop_empty_cells(column: Text) -> Text:
    """Cells that say "nothing" become missing."""
    return column.apply(lambda cell: None if is_missing(cell) else cell)


def build_table(
    headers: Sequence[str],
    columns: Sequence[Text],
    *,
    keep: Mask | None = None,
    malformed: Sequence[Malformed] = (),
    encoding: str = "utf-8",
    decimal_hint: str = ".",
) -> RawTable:
    """Put columns together, numbering lines past the malformed rows and leaving empty rows out."""
    names = unique_headers(headers)
    n_lines = len(columns[0]) if columns else 0
    rows = number_rows(n_lines, [m.row for m in malformed])
    clean = [drop_empty_cells(column) for column in columns]
    filled = np.zeros(n_lines, dtype=np.bool_)
    for column in clean:
        filled |= ~column.missing
    if keep is not None:
        filled &= keep
    if not filled.all():
        clean = [column.filter(filled) for column in clean]
        rows = rows[filled]
    return RawTable(
        dict(zip(names, clean, strict=True)), rows, tuple(malformed), encoding, decimal_hint
    )


class TableBuilder:
    """Puts columns together part by part, by their names; a part may lack some or have new ones."""

    def __init__(self) -> None:
        self._columns: dict[str, TextBuilder] = {}
        self._n_lines = 0

    def add(self, columns: Mapping[str, Text], n_lines: int) -> None:
        """Add lines, of which these are the columns."""
        for name, part in columns.items():
            if name not in self._columns:
                self._columns[name] = TextBuilder(self._n_lines)
            self._columns[name].extend(part)
        self._n_lines += n_lines
        for column in self._columns.values():
            column.leave_out(self._n_lines - len(column))

    def build(self) -> dict[str, Text]:
        """The columns, equally long; the builder holds none of them afterwards."""
        names = list(self._columns)
        return {name: self._columns.pop(name).build() for name in names}


def gather(parts: Iterable[RawTable]) -> RawTable:
    """One table of many with the same columns, which are numbered through already.

    Raises
    ------
    ValueError
        If there is no part.
    """
    builder = TableBuilder()
    rows: list[NDArray[np.int64]] = []
    malformed: list[Malformed] = []
    part = None
    for part in parts:
        builder.add(part.columns, len(part))
        rows.append(part.rows)
        malformed += part.malformed
    if part is None:
        raise ValueError("nothing to gather")
    pa.default_memory_pool().release_unused()
    return replace(
        part, columns=builder.build(), rows=np.concatenate(rows), malformed=tuple(malformed)
    )


def number_rows(n_lines: int, gaps: Sequence[int]) -> NDArray[np.int64]:
    """Row numbers of the good lines when the rows ``gaps`` (sorted, from 1) are not among them.

    >>> number_rows(3, [2]).tolist()
    [1, 3, 4]
    """
    most = max(n_lines + len(gaps), *gaps, 0)
    numbers = np.arange(1, most + 1, dtype=np.int64)
    free = np.setdiff1d(numbers, np.asarray(gaps, dtype=np.int64), assume_unique=True)
    return free[:n_lines]


def unique_headers(headers: Sequence[str]) -> list[str]:
    """Column names made different: a second ``price`` becomes ``price (2)``.

    >>> unique_headers(["price", "price", ""])
    ['price', 'price (2)', 'column 3']
    """
    names: list[str] = []
    for place, header in enumerate(headers, start=1):
        name = header.strip().lstrip("\ufeff") or f"column {place}"
        base, count = name, 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return names


def map_cells(table: RawTable, header: str | None, change: Callable[[str], str | None]) -> Text:
    """A column changed cell by cell; a field without a column is missing everywhere."""
    if header is None:
        return Text.empty(len(table))
    return table.columns[header].apply(change)
