"""A long text file part by part: the rows of each part are those of the file read whole."""

import csv
import tracemalloc
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import FileUnreadable
from lingxi.ingest.delimited import read_delimited
from lingxi.ingest.delimited_parts import read_gathered, read_parts
from lingxi.ingest.files import records
from lingxi.ingest.files.records import open_records
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.raw import RawTable

CELLS = st.text(st.sampled_from('ab1 ,;"\n\r杯é'), max_size=6)
LINES = st.lists(
    st.one_of(
        st.lists(CELLS, min_size=3, max_size=3),
        st.lists(CELLS, min_size=1, max_size=5),  # malformed, most of them
    ),
    min_size=1,
    max_size=60,
)


def list_rows(tables: list[RawTable]) -> list[tuple[int, tuple[str | None, ...]]]:
    return [
        (int(number), tuple(table.record(at).values()))
        for table in tables
        for at, number in enumerate(table.rows)
    ]


def read_both(path: Path, block: int, **options: str) -> tuple[list[RawTable], list[RawTable]]:
    parts = list(read_parts(path, whole=0, block=block, **options))
    whole = read_delimited(path, **options)
    check_gathered(path, block, whole, **options)
    return parts, [whole]


def check_gathered(path: Path, block: int, whole: RawTable, **options: str) -> None:
    found = read_gathered(path, whole=0, block=block, **options)
    assert list_rows([found]) == list_rows([whole])
    assert found.malformed == whole.malformed
    assert found.headers == whole.headers
    assert (found.encoding, found.decimal_hint) == (whole.encoding, whole.decimal_hint)
    for name, column in whole.columns.items():
        assert found.columns[name].values == column.values


def check_same(parts: list[RawTable], whole: list[RawTable]) -> None:
    assert list_rows(parts) == list_rows(whole)
    assert [m for table in parts for m in table.malformed] == list(whole[0].malformed)
    assert {table.headers for table in parts} == {whole[0].headers}
    assert {table.decimal_hint for table in parts} == {whole[0].decimal_hint}


@settings(max_examples=60, deadline=None)
@given(lines=LINES, quoted=st.booleans(), encoding=st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_parts_hold_what_the_whole_holds(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[list[str]],
    quoted: bool,
    encoding: str,
) -> None:
    path = tmp_path_factory.mktemp("parts") / "a.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        file.write("one,two,three\n" + "x1,y2,z3\n" * 20)
        if quoted:
            csv.writer(file).writerows(lines)
        else:  # whatever stands there, unclosed quotation marks too
            file.writelines(",".join(line) + "\n" for line in lines)
    check_same(*read_both(path, 4096, encoding=encoding, delimiter=","))


@pytest.mark.parametrize("stray", ["", '"5 inch,1,x\n'])
def test_a_file_of_many_blocks(tmp_path: Path, stray: str) -> None:
    path = tmp_path / "a.csv"
    rows = [
        f'{n},"kept\ntogether",{n % 7}\n' if n % 11 == 0 else f"{n},{n},{n}\n" for n in range(3000)
    ]
    rows[500] = "only,two\n"
    rows[1500] = ",\n"
    rows[2500] = "five,cells,are,too,many\n"
    rows[700] += stray
    path.write_text("a,b,c\n" + "".join(rows))
    parts, whole = read_both(path, 4096)
    assert len(parts) > (5 if not stray else 0)
    check_same(parts, whole)


def test_lines_that_are_read_by_themselves_come_in_parts_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "".join(f"{n},{n}\n" for n in range(50_000))
    path.write_text(f'a,b\n{good}"5 inch,1\n{good}')
    parts, whole = read_both(path, 1 << 16)
    assert len(parts) == 6
    assert [m.row for table in parts for m in table.malformed] == [50_001]
    check_same(parts, whole)


def test_a_long_file_takes_the_memory_of_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write("id,name\n")
        file.writelines(f"e-{n:09d},{'x' * 40}{n}\n" for n in range(60_000))

    def measure(block: int) -> int:
        tracemalloc.start()
        try:
            parts = read_parts(path, encoding="utf-8", whole=0, block=block)
            assert sum(map(len, parts)) == 60_000
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert measure(1 << 15) < measure(1 << 24) / 8


def test_a_long_file_with_no_line_below_its_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "\n" * 20_000)
    with pytest.raises(FileUnreadable, match="no line below it"):
        list(read_parts(path, whole=0, block=4096))


def test_records_come_in_parts_of_one_size_whatever_the_blocks_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f"{n},{n}\n" for n in range(2000)) + "only\n")
    whole = list(open_records(path, 300, ImportOptions()).parts())
    monkeypatch.setattr(records, "read_parts", partial(read_parts, whole=0, block=1024))
    parts = list(open_records(path, 300, ImportOptions()).parts())
    assert [len(part.records) for part in parts] == [300] * 6 + [200]
    assert [r for part in parts for r in part.records] == [r for p in whole for r in p.records]
    assert [m for p in parts for m in p.malformed] == [m for p in whole for m in p.malformed] != []
