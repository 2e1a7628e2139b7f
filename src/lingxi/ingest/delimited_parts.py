"""A delimited text file part by part: one of any length in the memory that a few parts take.

What a part holds is exactly what the same rows are when the file is read whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from lingxi.errors import FileUnreadable
from lingxi.ingest.delimited import (
    SPACES,
    Layout,
    find_layout,
    has_swallowed,
    no_line,
    open_batches,
    parse_by_lines,
    read_whole,
)
from lingxi.ingest.raw import Malformed, RawTable
from lingxi.ingest.text import Text, TextBuilder

_WHOLE = 1 << 24
"""A file of up to so many bytes is read at once."""
_BLOCK = 1 << 22
_SMALL = 1 << 21
"""Arrow reads 32 blocks ahead."""
_LINES = 20_000


def read_parts(
    path: Path, *, encoding: str = "", delimiter: str = "", whole: int = _WHOLE, block: int = _BLOCK
) -> Iterator[RawTable]:
    """The rows of a delimited text file in parts of about ``block`` bytes, numbered through; a file
    of at most ``whole`` bytes, or one whose columns stand under each other, is one part.

    A long file is read once before, to find a quotation mark that nobody closed: with one the
    lines are read each by itself.

    Raises what ``read_delimited`` does, some of it once parts have been given.
    """
    layout = find_layout(path, encoding=encoding, delimiter=delimiter)
    if layout.delimiter == SPACES or path.stat().st_size <= whole:
        yield read_whole(path, layout)
        return
    swallowed = _is_swallowed(path, layout, block)
    parts = _read_lines(path, layout) if swallowed else _read_batches(path, layout, block)
    yield from _number_through(parts, layout, path)


def read_gathered(
    path: Path, *, encoding: str = "", delimiter: str = "", whole: int = _WHOLE, block: int = _SMALL
) -> RawTable:
    """The rows of ``read_parts`` in one table, which takes little more memory than its codes and
    distinct values; the file is read a second time only where a quotation mark was not closed.

    Raises what ``read_delimited`` does.
    """
    layout = find_layout(path, encoding=encoding, delimiter=delimiter)
    if layout.delimiter == SPACES or path.stat().st_size <= whole:
        return read_whole(path, layout)
    with suppress(FileUnreadable):  # with a damaged file it is found line by line what is wrong
        columns, malformed = _gather(_read_batches(path, layout, block), layout)
        if not has_swallowed((column.values for column in columns), malformed, layout):
            return _build(columns, malformed, layout, path)
    return _build(*_gather(_read_lines(path, layout), layout), layout, path)


_Columns = tuple[list[Text], list[Malformed]]


def _gather(parts: Iterable[_Columns], layout: Layout) -> _Columns:
    """The columns of all parts in one, and what is malformed, numbered through."""
    builders = [TextBuilder() for _ in layout.names]
    found: list[Malformed] = []
    before = 0
    for columns, malformed in parts:
        for builder, column in zip(builders, columns, strict=True):
            builder.extend(column)
        found += [Malformed(row.row + before, row.text) for row in malformed]
        before += len(columns[0]) + len(malformed)
    pa.default_memory_pool().release_unused()
    return [builder.build() for builder in builders], found


def _build(
    columns: Sequence[Text], malformed: Sequence[Malformed], layout: Layout, path: Path
) -> RawTable:
    if not len(columns[0]) and not malformed:
        raise no_line(path)
    return layout.build(columns, malformed)


def _number_through(parts: Iterable[_Columns], layout: Layout, path: Path) -> Iterator[RawTable]:
    before = 0
    for columns, malformed in parts:
        raw = layout.build(columns, malformed)
        moved = tuple(Malformed(row.row + before, row.text) for row in malformed)
        yield replace(raw, rows=raw.rows + before, malformed=moved)
        before += len(columns[0]) + len(malformed)
    if not before:
        raise no_line(path)


def _is_swallowed(path: Path, layout: Layout, block: int) -> bool:
    """Whether a quotation mark that nobody closed has taken whole rows into one cell."""
    met: list[Malformed] = []
    try:
        with open_batches(path, path, layout, met, block=block) as batches:
            for batch in batches:
                columns = (_list_long(batch.column(name)) for name in layout.names)
                if has_swallowed(columns, met, layout):
                    return True
                met.clear()
    except FileUnreadable:
        return True  # it took more than a block; what else may be wrong is found line by line
    return has_swallowed((), met, layout)


def _list_long(column: "pa.Array[pa.Scalar[pa.DataType]]") -> list[str]:
    """The different cells in which there is an end of a line."""
    values: pa.StringArray = cast(Any, column).dictionary
    return [value.as_py() for value in values.filter(pc.match_substring(values, "\n"))]


def _read_batches(path: Path, layout: Layout, block: int) -> Iterator[_Columns]:
    """The columns of each batch, and what of it is malformed, numbered within it."""
    met: list[Malformed] = []  # those of the next batch too, which is parsed ahead
    before = 0
    with open_batches(path, path, layout, met, block=block) as batches:
        for batch in batches:
            own: list[Malformed] = []
            for row in met:
                if row.row - before > batch.num_rows + len(own):
                    break
                own.append(Malformed(row.row - before, row.text))
            del met[: len(own)]
            before += batch.num_rows + len(own)
            yield [_to_text(batch.column(name)) for name in layout.names], own
    if met:
        last = [Malformed(row.row - before, row.text) for row in met]
        yield [Text.empty(0) for _ in layout.names], last


def _to_text(column: "pa.Array[pa.Scalar[pa.DataType]]") -> Text:
    return Text.from_arrow(pa.chunked_array([column]))


def _read_lines(path: Path, layout: Layout) -> Iterator[_Columns]:
    """The same, from lines that are read each by itself."""
    named = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    try:
        with path.open(encoding=named, newline=None) as file:
            own = layout
            while lines := list(islice(file, _LINES)):
                yield parse_by_lines(chain.from_iterable(map(str.splitlines, lines)), path, own)
                own = replace(layout, headed=False)
    except UnicodeError as error:
        raise FileUnreadable(f"{path} cannot be read as delimited text: {error}") from error
