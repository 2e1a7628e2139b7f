"""Numbers as shops write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.ingest.numbers import choose_decimal_mark, parse_number


@pytest.mark.parametrize(
    ("cell", "mark", "number"),
    [
        ("12", ".", 12.0),
        ("-3.5", ".", -3.5),
        ("1,234.50", ".", 1234.5),
        ("1.234,50", ",", 1234.5),
        ("12,34,567", ".", 1234567.0),
        ("£2.55", ".", 2.55),
        ("2,55 €", ",", 2.55),
        ("US$ 10", ".", 10.0),
        ("CHF 1'234.50", ".", 1234.5),
        ("¥１２８", ".", 128.0),
        ("99元", ".", 99.0),
        ("(4.20)", ".", -4.2),
        ("7-", ".", -7.0),
        ("−8", ".", -8.0),
        ("1 234,5", ",", 1234.5),
        ("1e3", ".", 1000.0),
    ],
)
def test_number_is_read(cell: str, mark: str, number: float) -> None:
    assert parse_number(cell, mark) == pytest.approx(number)


@pytest.mark.parametrize("cell", ["twelve", "1.2.3", "12,3", "--1", "1e999", "0x10", "½", "9" * 99])
def test_what_is_no_number_is_refused(cell: str) -> None:
    assert parse_number(cell, ".") is None


@pytest.mark.parametrize(
    ("cells", "hint", "mark"),
    [
        (["1.5", "20"], ",", "."),
        (["1,5", "20"], ".", ","),
        (["1.234,50"], ".", ","),
        (["1,234.50", "1,234"], ",", "."),
        (["1,234"], ".", "."),
        (["1.234.567"], ".", ","),
        (["20"], ",", ","),
    ],
)
def test_decimal_mark_is_decided_over_the_column(cells: list[str], hint: str, mark: str) -> None:
    assert choose_decimal_mark(cells, hint=hint) == mark


@given(st.integers(-(10**9), 10**9), st.sampled_from([".", ","]))
def test_written_cents_come_back(cents: int, mark: str) -> None:
    sign = "-" if cents < 0 else ""
    thousands = "," if mark == "." else "."
    whole = f"{abs(cents) // 100:,}".replace(",", thousands)
    cell = f"{sign}{whole}{mark}{abs(cents) % 100:02d}"
    assert parse_number(cell, mark) == pytest.approx(cents / 100)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_nothing(cell: str) -> None:
    number = parse_number(cell)
    assert number is None or abs(number) < float("inf")
