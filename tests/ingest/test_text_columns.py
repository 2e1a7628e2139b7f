"""Text columns from Arrow: whatever their chunks, slices and dictionaries."""

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.ingest.text import Text

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
