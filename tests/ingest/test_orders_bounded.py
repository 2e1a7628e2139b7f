"""Order files are cleaned as a whole and written batch by batch: less memory, and the same shop."""

import gc
import hashlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.conftest import Bench
from ingest.dirty_orders import HEADERS, change_rows, make_rows, sum_up, write_rows
from ingest.test_clean import run
from lingxi.ingest import (
    ImportOptions,
    ImportReport,
    documents,
    import_orders,
    load,
    reading,
)
from lingxi.ingest.delimited_parts import read_gathered
from lingxi.ingest.documents import Document, build_documents
from lingxi.ingest.files import json_lines
from lingxi.ingest.quarantine import read_quarantine
from lingxi.ingest.totals import Totals, sum_documents
from lingxi.ingest.words import is_refunded_status
from lingxi.store.keyring import Keyring

ROWS = make_rows(1_500, 3)
AGAIN = change_rows(ROWS)
GOLDEN = ("08ffd571bb830cfb", "448818173497738f", "d7057ce8a3052f60")
"""What a shop holds after the file, after the file again, and after it came again changed, as code
that held all documents at once had it but for orders that came back in part, and then whole:
those come back once. Customers were not given the addresses of their orders then."""


@pytest.fixture(autouse=True)
def _same_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyed hashes without a key, so that two shops have the same."""

    def blind(_self: Keyring, text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    monkeypatch.setattr(Keyring, "blind", blind)


def bring_in(bench: Bench, path: Path, progress: Callable[..., None] | None = None) -> ImportReport:
    chosen = ImportOptions.parse(timezone="Europe/London")
    told = {} if progress is None else {"progress": progress}
    return import_orders(bench.store, bench.settings, bench.clock, path, chosen, **told)


def test_a_dirty_file_gives_what_it_gave_before(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "join_addresses", lambda *_: None)
    found = []
    for rows in (ROWS, ROWS, AGAIN):
        report = bring_in(bench, bench.file(write_rows(rows)))
        found.append(sum_up(bench.store, report))
    assert tuple(found) == GOLDEN


def test_an_import_broken_off_anywhere_ends_as_if_it_had_not(
    make_bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "AT_ONCE", 100)
    whole, broken = make_bench(), make_bench()
    text = write_rows([[*row[:3], name_buyer(row[0]), "", *row[5:]] for row in ROWS])
    bring_in(whole, whole.file(text))
    for most in (0, 100, 500, 300):
        with pytest.raises(InterruptedError):
            bring_in(broken, broken.file(text), progress=break_off(most))
    report = bring_in(broken, broken.file(text))
    assert 0 < report.events_new < report.events_known
    assert list_told(broken) == list_told(whole)
    assert sum_waiting(broken) == sum_waiting(whole)


def name_buyer(number: str) -> str:
    """One buyer for an order and for what calls it off."""
    return f"u{int(''.join(filter(str.isdigit, number))[-4:]) % 300}"


def break_off(most: int) -> Callable[..., None]:
    """Progress that ends the import once more than so many documents are written."""

    def progress(step: str, done: int, _total: int | None) -> None:
        if step == "Writing events" and done > most:
            raise InterruptedError

    return progress


def list_told(bench: Bench) -> list[tuple[object, ...]]:
    events = bench.store.log.read(limit=100_000)
    return [(e.event_id, e.subject, e.amount_cents, e.order_id, e.lines) for e in events]


def sum_waiting(bench: Bench) -> Counter[str]:
    return Counter(line.reason for line in read_quarantine(bench.store))


def test_documents_are_made_a_few_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "AT_ONCE", 50)
    monkeypatch.setattr(load, "AT_ONCE", 50)
    held = []

    def count(step: str, _done: int, _total: int | None) -> None:
        if step == "Writing events":
            held.append(sum(isinstance(each, Document) for each in gc.get_objects()))

    bring_in(bench, bench.file(write_rows(ROWS)), progress=count)
    assert len(held) > 5
    assert max(held) <= 50


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_a_file_read_in_parts_gives_the_same_shop(
    make_bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    rows = ROWS[:2_000]
    whole, parts = make_bench(), make_bench()
    report = bring_in(whole, write_as(whole, rows, form))
    small = partial(read_gathered, whole=0, block=1 << 14)
    monkeypatch.setattr(reading, "read_gathered", small)
    monkeypatch.setattr(reading, "_BATCH", 150)
    monkeypatch.setattr(json_lines, "_FEW", 150)
    own = bring_in(parts, write_as(parts, rows, form))
    assert sum_up(parts.store, own) == sum_up(whole.store, report)


def write_as(bench: Bench, rows: list[list[str]], form: str) -> Path:
    path = bench.folder / f"orders.{form}"
    if form == "csv":
        return bench.file(write_rows(rows))
    if form == "jsonl":
        records = [{h: c for h, c in zip(HEADERS, row, strict=True) if c} for row in rows]
        path.write_bytes(b"\n".join(map(msgspec.json.encode, records)))
    else:
        columns = dict(zip(HEADERS, map(list, zip(*rows, strict=True)), strict=True))
        pq.write_table(pa.table(columns), path)
    return path


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), n_orders=st.integers(1, 40), random=st.randoms())
def test_totals_are_those_of_the_documents(seed: int, n_orders: int, random: Random) -> None:
    rows = [[row[0], row[5], row[6], *row[7:9], row[1], row[3], row[2], ""]
            for row in make_rows(n_orders, seed)]  # fmt: skip
    lines = run(rows, date_format="ymd").lines
    back = lines.status.where(is_refunded_status) & ~lines.refund
    found = build_documents(lines, back, currency="GBP", digits=2)
    places = np.array(sorted(random.sample(range(len(found)), len(found) // 2)), dtype=np.int64)
    tied = np.array([random.randrange(3) for _ in range(len(found))], dtype=np.int64)
    told = list(found.read(places))
    sales = [d for d in told if not d.refund and not d.charge]
    goods_back = [(d, n) for d, n in zip(told, tied[places].tolist(), strict=True)
                  if d.refund and d.lines]  # fmt: skip
    paid_back = [d for d in sales if d.paid_back]
    assert sum_documents(found, places, tied) == Totals(
        orders=len(sales),
        anonymous=sum(d.buyer is None for d in sales),
        customers=len({d.buyer for d in told if d.buyer is not None}),
        items=len({line.item_id for d in told for line in d.lines}),
        sold_cents=sum(d.amount_cents for d in sales),
        returned_cents=sum(d.amount_cents for d in (*(d for d, _ in goods_back), *paid_back)),
        refunds=len(goods_back) + len(paid_back),
        refunds_tied=sum(n == len(d.lines) for d, n in goods_back) + len(paid_back),
        refund_lines=sum(len(d.lines) for d in (*(d for d, _ in goods_back), *paid_back)),
        refund_lines_tied=sum(n for _, n in goods_back) + sum(len(d.lines) for d in paid_back),
    )


def test_documents_are_in_the_order_of_time_and_key() -> None:
    rows = [[row[0], row[5], row[6], *row[7:9], row[1], row[3], row[2], ""] for row in ROWS]
    lines = run(rows, date_format="ymd").lines
    nothing = np.zeros(len(lines), dtype=np.bool_)
    found = build_documents(lines, nothing, currency="GBP", digits=2)
    made = list(found)
    assert made == sorted(made, key=lambda d: (d.occurred_at, d.key))
    assert [d.key for d in made] == found.name_keys(np.arange(len(found)))
    some = np.array([5, 2, 90], dtype=np.int64)
    assert [d.fingerprint for d in found.read(some)] == [made[at].fingerprint for at in some]


def test_many_equal_lines_that_are_set_aside_all_wait(bench: Bench) -> None:
    text = "order,item,quantity,price,date\n" + "1,A,1,0,2025-01-05\n" * 4_500
    report = bench.orders(text, mapping="order=order")
    assert report.lines_set_aside == 4_500
    assert sum_waiting(bench) == {"exact_duplicate": 4_499, "price_zero": 1}
    assert bench.orders(text, mapping="order=order").lines_set_aside == 4_500
    assert sum(sum_waiting(bench).values()) == 4_500
