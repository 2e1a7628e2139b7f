"""Exchange rates: files read, rates found, money converted exactly, what waited counted once."""

from __future__ import annotations

import zipfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.config import Settings, ShopSettings
from lingxi.errors import FileUnreadable, InvalidInput, UnknownColumn
from lingxi.ingest import list_quarantine, replay_quarantine
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.message import Cleaned, Message
from lingxi.ingest.rate_files import import_rates, read_quotes
from lingxi.ingest.rates import RateBook, put_quotes, quote_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

TODAY = date(2026, 3, 1)
WIDE = "Date,USD,JPY,GBP,XYZ,\n2026-02-27,1.25,160,0.8,1,\n2026-02-26,1.20,N/A,0.9,1,\n"
ORDERS = (
    "order,item,qty,price,currency,date,customer\n"
    "1,A,1,10.00,GBP,2026-02-27,ann\n2,A,2,10.00,USD,2026-02-27,bea\n"
)


def read(text: str, base: str = "EUR") -> tuple[dict[tuple[str, str], str], Counter[str]]:
    """The rates of a text by day and currency, and what was skipped."""
    skipped: Counter[str] = Counter()
    quotes = read_quotes(text, base, TODAY, skipped)
    return {(str(q.day), q.currency): str(q.value) for q in quotes}, +skipped


def put(bench: Bench, day: str, **values: str) -> None:
    quotes = quote_all("EUR", date.fromisoformat(day), {c: Decimal(v) for c, v in values.items()})
    with bench.store.write() as tx:
        put_quotes(tx, quotes)


def test_a_column_a_currency_is_read() -> None:
    quotes, skipped = read(WIDE)
    assert quotes == {
        ("2026-02-27", "USD"): "1.25",
        ("2026-02-27", "JPY"): "160",
        ("2026-02-27", "GBP"): "0.8",
        ("2026-02-26", "USD"): "1.20",
        ("2026-02-26", "GBP"): "0.9",
    }
    assert skipped == {"currency_unknown": 1}


@pytest.mark.parametrize(
    "text",
    [
        "KEY,TIME_PERIOD,CURRENCY,CURRENCY_DENOM,OBS_VALUE\nx,2026-02-27,USD,EUR,1.25\n",
        "\ufeffdate,currency,rate\n2026-02-27,usd,1.25\n",
        "rate,base,currency,date\n1.25,,USD,2026-02-27\n",
    ],
)
def test_a_line_a_rate_is_read(text: str) -> None:
    assert read(text) == ({("2026-02-27", "USD"): "1.25"}, {})


def test_lines_that_are_no_rate_are_counted_by_reason() -> None:
    lines = [
        "2026-02-27,USD,1.25", "27/02/2026,USD,1", "2026-03-02,USD,1", "1899-01-01,USD,1",
        "2026-02-27,USD,abc", "2026-02-27,USD,-1", "2026-02-27,USD,0", "2026-02-27,USD,1e30",
        "2026-02-27,USD,Infinity", "2026-02-27,USD," + "1" * 5000, "2026-02-27,ZZZ,1", "2026-02-27",
        "", "2026-02-27,JPY,N/A",
    ]  # fmt: skip
    quotes, skipped = read("date,currency,rate\n" + "\n".join(lines) + "\n")
    assert quotes == {("2026-02-27", "USD"): "1.25"}
    assert skipped == {
        "date_unreadable": 1,
        "date_impossible": 2,
        "rate_unreadable": 1,
        "rate_impossible": 5,
        "currency_unknown": 1,
        "line_malformed": 1,
    }


def test_a_zipped_file_is_read_and_a_bomb_is_not(bench: Bench) -> None:
    path = bench.folder / "eurofxref-hist.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eurofxref-hist.csv", WIDE)
    report = import_rates(bench.store, bench.clock, path)
    assert (report.rates, report.currencies) == (5, ("GBP", "JPY", "USD"))
    assert (report.first, report.last) == (date(2026, 2, 26), date(2026, 2, 27))
    packed = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with packed as archive, archive.open("eurofxref-hist.csv", "w") as file:
        for _ in range(101):
            file.write(b"0" * 1024**2)
    assert path.stat().st_size < 200_000
    with pytest.raises(FileUnreadable, match="larger than 100 MB"):
        import_rates(bench.store, bench.clock, path)


def make_damaged(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", WIDE * 50)
    raw = bytearray(path.read_bytes())
    raw[60:80] = bytes(20)
    path.write_bytes(bytes(raw))


def make_two(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", WIDE)
        archive.writestr("b.csv", WIDE)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda _: None, FileUnreadable, "There is no file"),
        (lambda p: p.mkdir(), FileUnreadable, "cannot be read"),
        (lambda p: p.write_bytes(b"\xff\xfe\x00D"), FileUnreadable, "UTF-8"),
        (lambda p: p.write_text("a,b\n1,2\n"), UnknownColumn, "no column Date"),
        (lambda p: p.write_text("Date,total\n2026-01-01,2\n"), UnknownColumn, "after a currency"),
        (lambda p: p.write_text(""), UnknownColumn, "no column Date"),
        (lambda p: p.write_text("Date,USD\nx,1\n"), InvalidInput, "date_unreadable: 1"),
        (lambda p: p.write_text("Date,USD\n" + "9" * 200_000), FileUnreadable, "no CSV file"),
        (make_damaged, FileUnreadable, "cannot be read"),
        (make_two, FileUnreadable, "holds 2 CSV files"),
    ],
)
def test_a_file_that_holds_no_rates_says_why(
    bench: Bench, make: Callable[[Path], object], error: type[Exception], told: str
) -> None:
    path = bench.folder / "rates.csv"
    make(path)
    with pytest.raises(error, match=told):
        import_rates(bench.store, bench.clock, path)


def test_the_last_rate_of_ten_days_before_holds_and_no_older_one(bench: Bench) -> None:
    put(bench, "2026-02-01", USD="1.25", GBP="0.8")
    put(bench, "2026-02-03", USD="1.20", GBP="0.9")
    book = RateBook(bench.store)
    found = {n: book.rate("USD", date(2026, 1, 31) + timedelta(days=n)) for n in (0, 1, 2, 3, 13)}
    assert found == {
        0: None,
        1: Fraction(16, 25),
        2: Fraction(16, 25),
        3: Fraction(3, 4),
        13: Fraction(3, 4),
    }
    assert book.rate("USD", date(2026, 2, 14)) is None
    assert book.rate("EUR", date(2026, 2, 3)) == Fraction(9, 10)
    assert book.rate("GBP", date(1990, 1, 1)) == 1
    assert book.rate("JPY", date(2026, 2, 3)) is None


def test_a_running_server_notices_new_rates(bench: Bench) -> None:
    book = RateBook(bench.store)
    book.refresh(bench.clock.now())
    assert book.rate("EUR", TODAY) is None
    put(bench, "2026-03-01", GBP="0.8")
    book.refresh(bench.clock.now() + timedelta(seconds=1))
    assert book.rate("EUR", TODAY) is None
    book.refresh(bench.clock.now() + timedelta(seconds=3))
    assert book.rate("EUR", TODAY) == Fraction(4, 5)


MONEY = st.decimals("0.01", "99999.99", places=2)
VALUE = st.decimals("0.0001", "9999.9999", places=4)


@given(MONEY, VALUE, VALUE, st.integers(1, 20), st.sampled_from(["GBP", "JPY", "KWD"]))
def test_converted_money_is_exact_to_half_a_unit(
    price: Decimal, own: Decimal, other: Decimal, quantity: int, currency: str
) -> None:
    rate = Fraction(own) / Fraction(other)
    rules = Rules.of(
        Settings(folder=Path(), shop=ShopSettings(currency=currency)), lambda _c, _d: rate
    )
    product = {"product_id": "p", "price": float(price), "quantity": quantity}
    properties = {"order_id": "1", "currency": "USD", "products": [product]}
    body = {"type": "track", "event": "Order Completed", "userId": "u", "messageId": "m"}
    now = datetime(2026, 3, 1, tzinfo=UTC)
    cleaned = clean(
        Message(body={**body, "properties": properties}, raw=b"{}", received_at=now, source="web"),
        rules,
    )
    assert isinstance(cleaned, Cleaned)
    with localcontext() as context:
        context.prec = 200
        unit = Decimal(10) ** -rules.digits
        want = (price * quantity * own / other).quantize(unit, ROUND_HALF_EVEN)
    assert cleaned.event.amount_cents == int(want.scaleb(rules.digits))
    assert cleaned.event.currency == currency


def test_order_lines_in_another_currency_wait_for_a_rate_and_count_once(bench: Bench) -> None:
    report = bench.orders(ORDERS)
    assert [line.reason for line in list_quarantine(bench.store)] == ["currency_rate_missing"]
    assert report.orders == 1
    again = replay_quarantine(bench.store, bench.clock, bench.retries())
    assert (again.lines_kept, len(bench.log())) == (0, 1)
    put(bench, "2026-02-27", USD="1.25", GBP="0.8")
    done = replay_quarantine(
        bench.store, bench.clock, bench.retries(), reason="currency_rate_missing"
    )
    assert (done.lines_kept, done.orders, done.revenue_after_cents) == (1, 1, 1280)
    assert list_quarantine(bench.store) == []
    (order,) = [e for e in bench.log() if e.order_id == "2"]
    assert (order.amount_cents, order.currency) == (1280, "GBP")
    assert order.lines[0].price_cents == 640
    assert order.properties == {"original_currency": "USD", "original_total_cents": 2000}
    log = bench.log()
    bench.orders(ORDERS)
    assert bench.log() == log


def test_a_file_that_comes_again_before_the_replay_counts_once(bench: Bench) -> None:
    bench.orders(ORDERS)
    put(bench, "2026-02-27", USD="1.25", GBP="0.8")
    bench.orders(ORDERS)
    log = bench.log()
    assert sum(e.amount_cents or 0 for e in log) == 2280
    replay_quarantine(bench.store, bench.clock, bench.retries())
    assert bench.log() == log
    assert list_quarantine(bench.store) == []


def test_a_file_wholly_in_another_currency_is_converted(bench: Bench) -> None:
    put(bench, "2026-02-27", USD="1.25", GBP="0.8")
    text = "order,item,qty,price,date,customer\n1,A,1,10.00,2026-02-27,ann\n"
    report = bench.orders(text, currency="USD")
    assert report.currency == "GBP"
    assert [e.amount_cents for e in bench.log()] == [640]


def test_a_refund_in_another_currency_is_converted_too(bench: Bench) -> None:
    put(bench, "2026-02-26", USD="1.20", GBP="0.9")
    put(bench, "2026-02-27", USD="1.25", GBP="0.8")
    bench.orders(
        "order,item,qty,price,currency,date,customer\n"
        "1,A,2,10.00,USD,2026-02-26,bea\nC1,A,-1,10.00,USD,2026-02-27,bea\n"
    )
    sold, back = bench.log()
    assert (sold.amount_cents, back.amount_cents) == (1500, 640)
    assert back.properties["original_total_cents"] == 1000
