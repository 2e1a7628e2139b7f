"""Files of every kind, and files that only pretend to be."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from lingxi.errors import FileUnreadable, InvalidInput
from lingxi.ingest.reading import read_table

ROWS = [["naïve café", "12,50 €"], ["价格", "3"]]


def write(path: Path, encoding: str, delimiter: str = ";", rows: list[list[str]] = ROWS) -> Path:
    text = "\r\n".join(delimiter.join(row) for row in [["name", "price"], *rows]) + "\r\n"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encoding_is_detected(tmp_path: Path, encoding: str) -> None:
    rows = [["价格很低", "3"], ["羽绒服", "4"]] if encoding == "gb18030" else ROWS
    table = read_table(write(tmp_path / "a.csv", encoding, rows=rows))
    assert [list(table.record(i).values()) for i in range(2)] == rows


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_western_encoding_is_detected(tmp_path: Path, encoding: str) -> None:
    rows = [["naïve café £", "1"], ["Müller", "2"]]
    table = read_table(write(tmp_path / "a.csv", encoding, rows=rows))
    assert table.record(0)["name"] == "naïve café £"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_detected(tmp_path: Path, delimiter: str) -> None:
    table = read_table(write(tmp_path / "a.txt", "utf-8", delimiter, [["a", "1"], ["b", "2"]]))
    assert table.headers == ("name", "price")
    assert len(table) == 2


def test_a_file_whose_lines_end_as_on_an_old_mac_is_read(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(b"order,item,price\ro1,s1,2\ro2,s2,3\r")
    table = read_table(path)
    assert (table.headers, len(table)) == (("order", "item", "price"), 2)


def test_malformed_rows_are_told_apart_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,2\n\n3\n"x\ny",4\n5,6,7\n8,9\n,\n10,11\n')
    table = read_table(path)
    assert [m.text for m in table.malformed] == ["3", "5,6,7"]
    assert table.rows.tolist() == [1, 3, 5, 7]
    assert table.record(1) == {"a": "x\ny", "b": "4"}


def test_a_stray_quote_does_not_swallow_the_rest_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    good = "".join(f"{i},{i}\n" for i in range(500))
    path.write_text(f'a,b\n"5 inch,1\n{good}')
    table = read_table(path)
    assert len(table) == 500
    assert len(table.malformed) == 1
    assert table.rows[0] == 2


def test_parquet_numbers_come_without_a_needless_fraction(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(
            {
                "id": [17850.0, None, 3.0],
                "at": pa.array([1_291_191_960 * 10**9] * 3, pa.timestamp("ns")),
            }
        ),
        path,
    )
    table = read_table(path)
    assert table.record(0) == {"id": "17850", "at": "2010-12-01 08:26:00"}
    assert table.record(1)["id"] is None


def test_workbook_is_read_below_its_title(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    day = datetime(2010, 12, 1, tzinfo=UTC).replace(tzinfo=None)
    assert sheet is not None
    for row in [["Orders of 2010"], [], ["id", "at"], [17850.0, day], [1, None]]:
        sheet.append(row)
    book.create_sheet("Other").append(["x"])
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.record(0) == {"id": "17850", "at": "2010-12-01 00:00:00"}
    assert len(table) == 2
    with pytest.raises(InvalidInput, match="no sheet 'Othr' \\(did you mean 'Other'"):
        read_table(tmp_path / "a.xlsx", sheet="Othr")


def test_file_without_a_header_gets_numbered_columns(tmp_path: Path) -> None:
    path = tmp_path / "cdnow.txt"
    path.write_text(" 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n")
    table = read_table(path)
    assert table.headers[2] == "column 3"
    assert len(table) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n  \n", "is empty"),
        ("header.csv", b"a,b\n", "no line below"),
        ("cut.parquet", b"PAR1" + b"\x00" * 40, "damaged or cut short"),
        ("text.parquet", b"a,b\n1,2\n", "named .parquet but holds text"),
        ("table.csv", b"PAR1" + b"\x00" * 40, "named .csv but holds a Parquet file"),
        ("broken.xlsx", b"PK\x03\x04 nothing", "not a readable Excel workbook"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file"),
        ("packed.csv.gz", b"\x1f\x8b\x08\x00", "gzip"),
        ("binary.dat", bytes(range(256)) * 40, "zero bytes"),
    ],
)
def test_unusable_file_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileUnreadable, match=said):
        read_table(path)


def test_absent_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(FileUnreadable, match="folder"):
        read_table(tmp_path)


def test_unknown_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no text encoding"):
        read_table(write(tmp_path / "a.csv", "utf-8"), encoding="klingon")


def test_a_truncated_real_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FileUnreadable, match="damaged or cut short"):
        read_table(path)


def test_an_open_quotation_mark_does_not_swallow_the_next_row(tmp_path: Path) -> None:
    rows = [f'{i},"Lamp {i}",{i}.5' for i in range(1, 9)]
    rows[3] = '4,"Lamp 4,4.5'
    path = tmp_path / "a.csv"
    path.write_text("id,name,price\n" + "\n".join(rows) + "\n")
    table = read_table(path)
    assert [row.row for row in table.malformed] == [4]
    assert table.columns["id"].decode() == ["1", "2", "3", "5", "6", "7", "8"]


def test_an_address_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,address,price\n1,"12 High St, ""The Mill"",\nLondon, UK",3\n2,Home,4\n')
    table = read_table(path)
    assert (len(table), table.malformed) == (2, ())


def test_rows_that_are_torn_apart_do_not_take_the_numbers_of_others(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b,c\n1,2,3\n,";x\nx","\n1\n1",\n4,5,6\n')
    table = read_table(path)
    assert len(table.rows) == len(table.columns["a"])
    assert table.record(0) == {"a": "1", "b": "2", "c": "3"}
