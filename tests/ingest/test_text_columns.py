"""Text columns from Arrow: whatever their chunks, slices and dictionaries."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.ingest.text import Text, TextBuilder, group_lines

Cells = st.lists(st.sampled_from(["a", "bb", "é", None]), max_size=40)


@given(cells=Cells, cut=st.integers(0, 40), start=st.integers(0, 40), n=st.integers(0, 40))
def test_the_cells_are_those_of_the_column(
    cells: list[str | None], cut: int, start: int, n: int
) -> None:
    kind = pa.string()
    column = pa.chunked_array([pa.array(cells[:cut], kind), pa.array(cells[cut:], kind)])
    coded = column.dictionary_encode()
    small = coded.cast(pa.dictionary(pa.int8(), kind))
    for each in (column, coded, small):
        assert Text.from_arrow(each).decode() == cells
        assert Text.from_arrow(each.slice(start, n)).decode() == cells[start : start + n]


@given(parts=st.lists(Cells, max_size=5), missing=st.integers(0, 3))
def test_a_column_put_together_is_the_column_in_one(
    parts: list[list[str | None]], missing: int
) -> None:
    builder, singly = TextBuilder(missing), TextBuilder()
    cells: list[str | None] = [None] * missing
    singly.leave_out(missing)
    for part in parts:
        builder.extend(Text.of(part))
        for cell in part:
            singly.append(cell)
        cells += part
    whole, built = Text.of(cells), builder.build()
    assert built.values == whole.values == singly.build().values
    assert built.decode() == cells
    assert built.codes.tolist() == whole.codes.tolist()


@pytest.mark.parametrize("n_values", [1, 127, 128, 32_767, 32_768, 70_000])
def test_codes_are_as_narrow_as_their_values_allow(n_values: int) -> None:
    builder = TextBuilder()
    builder.extend(Text.of([*map(str, range(n_values)), None]))
    column = builder.build()
    assert column.codes.dtype.itemsize == (1 if n_values < 128 else 2 if n_values < 32_768 else 4)
    assert column.decode() == [*map(str, range(n_values)), None]
    upper = column.apply(lambda cell: f"x{cell}")
    assert upper.decode() == [*(f"x{n}" for n in range(n_values)), None]
    assert upper.codes.dtype == column.codes.dtype


@given(
    rows=st.lists(st.tuples(*[st.integers(-3, 3), st.integers(-(2**40), 2**40)] * 2), min_size=1)
)
def test_equal_lines_have_one_number_and_others_do_not(rows: list[tuple[int, ...]]) -> None:
    columns = [np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)]
    wide = [np.array([0, 2**31 - 1] * len(rows))[: len(rows)] for _ in range(3)]
    group = group_lines([*wide, *columns, *wide])
    assert (group >= 0).all()
    keys = list(zip(*(c.tolist() for c in (*wide, *columns)), strict=True))
    assert (
        len(set(group.tolist()))
        == len(set(keys))
        == len(set(zip(group.tolist(), keys, strict=True)))
    )


@pytest.mark.slow
def test_pandas_is_not_imported_for_a_column_of_a_file() -> None:
    code = (
        "import sys, io, pyarrow as pa, pyarrow.csv as csv\n"
        "from lingxi.ingest.text import Text\n"
        "table = csv.read_csv(io.BytesIO(b'a\\nx\\n\\ny\\n'))\n"
        "Text.from_arrow(table.column(0))\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
