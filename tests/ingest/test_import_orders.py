"""Order lines on their way into the log."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from openpyxl import Workbook

from lingxi.errors import InvalidInput, UnknownColumn, UnknownCustomer
from lingxi.ingest import (
    ImportOptions,
    ImportReport,
    customer_ids,
    find_customer,
    import_orders,
    list_quarantine,
)
from lingxi.ingest.learnt import read_learnt
from lingxi.schema import Line, Name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Bench

HEAD = "order_id,sku,name,qty,price,date,customer_id,country\n"


def counts(report: ImportReport, *, kept: bool = False) -> dict[str, int]:
    return {r.reason: r.lines for r in report.reasons if r.kept == kept}


def add_up(report: ImportReport) -> bool:
    return report.lines_in == report.lines_kept + sum(counts(report).values())


def test_an_order_is_one_event_and_costs_are_no_products(bench: Bench) -> None:
    report = bench.orders(
        HEAD + "1,A100,Mug,2,2.675,2024-01-15 09:00,7,UK\n"
        "1,B200,Bowl,1,4,2024-01-15 09:01,7,UK\n"
        "1,POST,Postage,1,3.50,2024-01-15 09:01,7,UK\n"
        "1,DISC,Discount,1,-1,2024-01-15 09:01,7,UK\n" + _fill(20)
    )
    event = next(e for e in bench.log() if e.order_id == "1")
    assert event.name == "Order Completed"
    assert event.occurred_at.isoformat() == "2024-01-15T09:00:00+00:00"
    assert event.lines == (Line("A100", 2, 268, 535), Line("B200", 1, 400, 400))
    assert (event.amount_cents, event.cost_cents) == (935, 250)
    assert report.cost_codes == ("DISC", "POST")


def _fill(n: int) -> str:
    return "".join(
        f"F{i},A{100 + i},Thing {i},1,5,2024-02-{i % 27 + 1:02d},c{i},UK\n" for i in range(n)
    )


def test_every_reason_is_counted_and_lines_add_up(bench: Bench) -> None:
    report = bench.orders(
        HEAD
        + _fill(30)
        + "F1,A101,Thing 1,1,5,2024-02-02,c1,UK\n"  # exact duplicate
        + ",A101,Thing 1,1,5,2024-02-02,c1,UK\n"  # no order
        + "9,,,1,5,2024-02-02,c1,UK\n"  # no item
        + "10,A101,Thing 1,1,5,,c1,UK\n"  # no date
        + "11,A101,Thing 1,1,5,2024-02-31,c1,UK\n"  # no such day
        + "12,A101,Thing 1,1,5,1970-01-01,c1,UK\n"  # impossible
        + "13,A101,Thing 1,1,5,2199-01-01,c1,UK\n"  # impossible
        + "14,A101,Thing 1,many,5,2024-02-02,c1,UK\n"  # unreadable number
        + "15,A101,Thing 1,1,,2024-02-02,c1,UK\n"  # no price
        + "16,A101,Thing 1,0,5,2024-02-02,c1,UK\n"  # zero
        + "17,A101,Thing 1,-3,0,2024-02-02,,UK\n"  # stock
        + "18,A101,Thing 1,3,0,2024-02-02,c1,UK\n"  # free
        + "19,A101,Thing 1,3,-5,2024-02-02,c1,UK\n"  # negative price
        + "20,B,Adjust bad debt,1,-500,2024-02-02,,UK\n"  # ledger
        + "21,A101,Thing 1,99999999,5,2024-02-02,c1,UK\n"  # absurd
        + "22,A101\n"  # malformed
    )
    assert counts(report) == {
        "line_malformed": 1,
        "exact_duplicate": 1,
        "order_missing": 1,
        "item_missing": 1,
        "time_missing": 1,
        "time_unreadable": 1,
        "time_impossible": 2,
        "number_unreadable": 1,
        "number_missing": 1,
        "number_absurd": 1,
        "quantity_zero": 1,
        "ledger_entry": 1,
        "stock_adjustment": 1,
        "price_zero": 1,
        "price_negative": 1,
    }
    assert add_up(report)
    assert (report.lines_in, report.lines_kept) == (46, 30)
    assert len(list_quarantine(bench.store, n=100)) == 16


def test_the_same_file_twice_changes_nothing(bench: Bench) -> None:
    text = (
        HEAD + _fill(30) + "C1,A101,Thing 1,-1,5,2024-03-02,c1,UK\n7,A101,x,0,5,2024-01-01,c,UK\n"
    )
    first = bench.orders(text)
    before = bench.log()
    second = bench.orders(text)
    assert bench.log() == before
    assert (first.events_new, second.events_new, second.events_known) == (31, 0, 31)
    assert second.refunds_tied == first.refunds_tied == 1
    assert second.lines_set_aside == 1
    assert len(list_quarantine(bench.store)) == 1


def test_overlapping_exports_count_each_order_once(make_bench: Callable[[], Bench]) -> None:
    lines = [
        f"{i},A{i % 9},Thing,1,5,2024-{i // 30 + 1:02d}-{i % 28 + 1:02d},c{i % 7},UK\n"
        for i in range(120)
    ]
    lines += [
        f"C{i},A{i % 9},Thing,-1,5,2024-{i // 30 + 2:02d}-28,c{i % 7},UK\n" for i in range(0, 90, 5)
    ]
    lines.sort(key=lambda line: line.split(",")[5])
    whole, halves = make_bench(), make_bench()
    whole.orders(HEAD + "".join(lines))
    halves.orders(HEAD + "".join(lines[:90]))
    report = halves.orders(HEAD + "".join(lines[40:]))
    assert report.events_known == 50

    def content(bench: Bench) -> Counter[tuple[str, str | None, int | None]]:
        return Counter((e.event_id, e.order_id, e.amount_cents) for e in bench.log())

    assert content(whole) == content(halves)


def test_an_order_that_comes_again_changed_stays_as_it_was(bench: Bench) -> None:
    bench.orders(HEAD + "1,A1,Mug,1,5,2024-01-15,c,UK\n2,A1,Mug,1,5,2024-01-15,c,UK\n")
    report = bench.orders(HEAD + "1,A1,Mug,9,5,2024-01-15,c,UK\n2,A1,Mug,1,5,2024-01-15,c,UK\n")
    assert counts(report) == {"order_changed": 1}
    assert add_up(report)
    assert [e.lines[0].quantity for e in bench.log()] == [1, 1]


def test_guests_are_anonymous_baskets(bench: Bench) -> None:
    report = bench.orders(HEAD + "1,A1,Mug,1,5,2024-01-15,,UK\n2,A1,Mug,1,5,2024-01-15,guest,UK\n")
    assert [e.subject for e in bench.log()] == [None, None]
    assert (report.anonymous_baskets, report.customers) == (2, 0)


def test_spelling_of_a_code_is_one_across_imports(bench: Bench) -> None:
    bench.orders(
        HEAD + "1,85123A,Heart,1,5,2024-01-15,c,UK\n2,85123a,Heart,1,5,2024-01-16,c,UK\n"
        "3,85123A,Heart,1,5,2024-01-16,c,UK\n"
    )
    bench.orders(HEAD + "4,85123a,Heart,1,6,2024-01-17,c,UK\n")
    assert {e.lines[0].item_id for e in bench.log()} == {"85123A"}
    with bench.store.read() as tx:
        (item,) = read_learnt(tx)
    assert (item.item_id, item.name, item.price_cents) == ("85123A", "Heart", 600)


def test_notes_of_the_stock_keeper_give_way_to_the_usual_name(bench: Bench) -> None:
    report = bench.orders(
        HEAD + "1,A1,RED MUG,1,5,2024-01-15,c,UK\n2,A1,RED MUG,1,5,2024-01-16,c,UK\n"
        "3,A1,?,1,5,2024-01-16,c,UK\n4,A1,,1,5,2024-01-16,c,UK\n"
    )
    assert counts(report, kept=True)["name_from_item"] == 2


def test_shopify_export_is_read_as_it_is(bench: Bench) -> None:
    report = bench.orders(
        "Name,Email,Financial Status,Currency,Subtotal,Total,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Lineitem sku,Billing Country,Id\n"
        "#1,Ann@x.com,paid,GBP,30,35,2024-01-02 10:00:00 +0000,1,Mug,10,MUG-1,UK,9\n"
        "#1,ann@x.com,,,,,2024-01-02 10:00:00 +0000,2,Plate,10,,,\n"
        "#2,bob@x.com,refunded,GBP,10,15,2024-01-03 10:00:00 +0000,1,Mug,10,MUG-1,UK,10\n"
        "#3,bob@x.com,voided,GBP,10,15,2024-01-03 10:00:00 +0000,1,Mug,10,MUG-1,UK,11\n"
    )
    assert counts(report) == {"order_not_completed": 1}
    assert (report.orders, report.refunds, report.customers) == (2, 1, 2)
    assert report.revenue_after_cents == 3000
    first = bench.log()[0]
    assert [line.item_id for line in first.lines] == ["MUG-1", "Plate"]
    assert (first.country, first.amount_cents) == ("UK", 3000)


def test_mail_addresses_are_not_kept(bench: Bench) -> None:
    bench.orders(
        "order,item,qty,price,date,email\n1,A,1,5,2024-01-15,ann@example.com\n"
        "2,A,0,5,2024-01-15,bea@example.com\n"
    )
    for path in bench.folder.rglob("*.sqlite*"):
        assert b"ann@example" not in path.read_bytes()
        assert b"bea@example" not in path.read_bytes()


def test_file_with_one_line_an_order_is_read_without_items(bench: Bench) -> None:
    report = bench.orders(
        "customer_id,date,number_of_cds,dollar_value\n7,19970101,1,11.77\n7,19970112,2,12\n"
    )
    assert [e.amount_cents for e in bench.log()] == [1177, 1200]
    assert {n.code for n in report.notes} >= {"clean.note.orders_made", "clean.note.no_items"}
    assert all("7" not in (e.order_id or "").split("-")[0] for e in bench.log())


def test_one_number_for_two_customers_is_two_orders(bench: Bench) -> None:
    bench.orders(HEAD + "1,A,x,1,5,2024-01-15,ann,UK\n1,A,x,1,5,2024-01-15,bea,UK\n")
    assert len({e.event_id for e in bench.log()}) == 2
    assert "ann" not in "".join(e.order_id or "" for e in bench.log())


def test_missing_columns_are_named_with_the_option_to_write(bench: Bench) -> None:
    with pytest.raises(UnknownColumn, match="--map item=COLUMN,time=COLUMN") as error:
        bench.orders("order_id,foo,qty,price\n1,2,3,4\n")
    assert "foo" in str(error.value)


def test_ambiguous_dates_write_nothing(bench: Bench) -> None:
    text = HEAD + "1,A,x,1,5,03/04/2024,c,UK\n2,A,x,1,5,05/06/2024,c,UK\n"
    with pytest.raises(InvalidInput, match="--date-format"):
        bench.orders(text)
    assert bench.log() == []
    assert bench.orders(text, date_format="dmy").orders == 2


def test_other_currency_is_set_aside(bench: Bench) -> None:
    report = bench.orders(
        "order,item,qty,price,currency,date,customer\n1,A,1,2,GBP,2024-01-01,a\n"
        "2,A,1,2,EUR,2024-01-01,b\n"
    )
    assert counts(report) == {"currency_rate_missing": 1}


def test_any_table_adds_up_through_the_store(bench: Bench) -> None:
    cells = ["", "1", "-1", "0", "C1", "A1", "POST", "?", "2024-01-05", "NaN", "=1+1", "é\u0301"]
    rng = np.random.default_rng(5)
    rows = [
        [cells[i] for i in rng.integers(0, len(cells), 7 + rng.integers(0, 3))] for _ in range(400)
    ]
    text = HEAD + "".join(",".join(row) + "\n" for row in rows)
    report = bench.orders(text)
    blank = [row for row in rows if not any(row) or (len(row) == 8 and set(row) <= {"", "NaN"})]
    assert report.lines_in == len(rows) - len(blank)
    assert add_up(report)
    assert len(list_quarantine(bench.store, n=1000)) == report.lines_set_aside
    before = bench.log()
    assert bench.orders(text).events_new == 0
    assert bench.log() == before


def test_the_real_file_adds_up(bench: Bench, online_retail: Path) -> None:
    report = import_orders(
        bench.store,
        bench.settings,
        bench.clock,
        online_retail,
        ImportOptions.parse(timezone="Europe/London"),
    )
    assert (report.lines_in, report.lines_kept) == (541_909, 534_124)
    assert add_up(report)
    assert counts(report) == {
        "exact_duplicate": 5268,
        "ledger_entry": 3,
        "stock_adjustment": 1336,
        "price_zero": 1178,
    }
    assert report.customers == 4371
    assert report.refund_lines == 8665
    assert report.refund_lines_tied == 7395
    assert {"POST", "DOT", "M", "D", "BANK CHARGES", "AMAZONFEE", "CRUK", "C2", "S"} <= set(
        report.cost_codes
    )
    events = {e.event_id: e for e in bench.store.log.read(limit=30_000)}
    for order, refund, units in (("541431", "C541433", 74_215), ("581483", "C581484", 80_995)):
        event = events[f"refund:{refund}:{order}"]
        assert (event.order_id, event.lines[0].quantity) == (order, units)
        assert events[f"order:{order}"].amount_cents == event.amount_cents


def test_customer_known_by_address_alone_is_found_by_it(bench: Bench) -> None:
    bench.orders("order,email,item,quantity,price,date\n1,Ann@Example.com,A,1,10,2024-01-05\n")
    with bench.store.read() as tx:
        found = find_customer(tx, " ann@example.COM", store=bench.store)
        assert customer_ids(tx, [found]) == {found: f"email-{found}"}
        with pytest.raises(UnknownCustomer):
            find_customer(tx, "bob@example.com", store=bench.store)


def test_long_ids_that_begin_alike_stay_two(bench: Bench) -> None:
    long = "x" * 500
    report = bench.orders(
        "order,customer,item,quantity,price,date\n"
        f"1,{long}1,A,1,10,2024-01-05\n2,{long}2,A,1,10,2024-01-05\n"
    )
    assert report.customers == 2
    with bench.store.read() as tx:
        assert find_customer(tx, f"{long}1") != find_customer(tx, f"{long}2")


@pytest.mark.parametrize("who", ["k2", ""])
def test_a_refund_is_tied_to_the_order_of_an_earlier_file_that_it_names(
    bench: Bench, who: str
) -> None:
    """It was looked for among the orders of the refund's own customer alone."""
    head = "order,customer,sku,qty,price,date\n"
    bench.orders(head + "1001,k1,A,3,10,2024-01-05\n1002,k2,B,1,10,2024-01-05\n")
    for number in ("C1001", "RMA-1001"):
        bench.orders(head + f"{number},{who},A,-2,10,2024-01-07\n")
    told = [e for e in bench.log() if e.name == Name.ORDER_REFUNDED]
    assert [(e.order_id, e.amount_cents) for e in told] == [
        ("1001", 2000),
        ("1001", 1000),
        (None, 1000),
    ]


@pytest.mark.parametrize("clock", [True, False], ids=["two columns", "one column"])
def test_dates_of_a_workbook_that_are_bare_numbers_are_days(bench: Bench, clock: bool) -> None:
    """A cell that is not formatted as a date is the number of a day, or a part of one; a day and a
    time in two columns were unreadable in a workbook, formatted or not."""
    book, half = Workbook(), timedelta(hours=14, minutes=30) / timedelta(days=1)
    sheet = book.worksheets[0]
    sheet.append(["order", "customer", "sku", "qty", "price", "date", *(["time"] if clock else [])])
    then = datetime(2024, 1, 5, 14, 30, tzinfo=UTC)
    day, moment = date(2024, 1, 5), then.replace(tzinfo=None)
    days: list[list[object]] = [[45296 + half], [moment]]
    if clock:
        days = [[45296, half], [day, time(14, 30)], [45296.0, "14:30"]]
    for number, cells in enumerate(days):
        sheet.append([str(number), "k1", "A", 1, 5, *cells])
    path = bench.folder / "orders.xlsx"
    book.save(path)
    import_orders(bench.store, bench.settings, bench.clock, path, ImportOptions.parse())
    moments = [e.occurred_at for e in bench.log()]
    assert moments == [then] * len(days)
