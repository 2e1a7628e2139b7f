"""Events of a file: the collector's own steps, orders of several lines, mending, going on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from lingxi.errors import FileUnreadable, InvalidInput, UnknownColumn
from lingxi.ingest import (
    export_quarantine,
    list_quarantine,
    mend_quarantine,
    replay_quarantine,
)
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.files import lines, take
from lingxi.ingest.message import Cleaned, Message

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Bench

HEAD = "event,user_id,timestamp,product_id,order_id,price,quantity\n"


def test_a_message_of_a_file_is_cleaned_as_one_that_a_client_sent(bench: Bench) -> None:
    body = {
        "type": "track", "event": "add_to_cart", "messageId": "m1", "userId": "u1",
        "timestamp": "2026-01-01T10:00:00Z",
        "properties": {"item_id": "A", "price": "4,50", "colour": "red", "email": "a@b.co"},
        "context": {"page": {"path": "/lamps"}, "campaign": {"source": "x"}},
    }  # fmt: skip
    bench.events(msgspec.json.encode(body).decode() + "\n", "events.jsonl")
    message = Message(
        body=body, raw=msgspec.json.encode(body), received_at=bench.clock.now(), source="events"
    )
    sent = clean(message, Rules.of(bench.settings))
    assert isinstance(sent, Cleaned)
    (event,) = bench.log()
    assert msgspec.structs.replace(event, position=0, subject=None) == sent.event


def test_lines_of_one_order_are_one_order(bench: Bench) -> None:
    report = bench.events(
        HEAD + "purchase,u1,2026-01-01T10:00:00Z,A,77,5,2\n"
        "view,u1,2026-01-01T10:00:01Z,A,,,\n"
        "purchase,u1,2026-01-01T10:00:00Z,B,77,1,1\n"
        "purchase,u2,2026-01-01T11:00:00Z,A,,5,1\n"
        "purchase,u2,2026-01-01T11:00:00Z,B,,1,1\n"
    )
    orders = [e for e in bench.log() if e.name == "Order Completed"]
    assert [(e.amount_cents, [p.item_id for p in e.lines]) for e in orders] == [
        (1100, ["A", "B"]),
        (600, ["A", "B"]),
    ]
    assert (report.lines_in, report.lines_kept, report.orders, report.events_new) == (5, 5, 2, 3)


def test_an_order_waits_with_all_its_lines_and_is_mended_with_them(bench: Bench) -> None:
    bench.events(
        HEAD
        + "purchase,u1,2026-01-01T10:00:00Z,A,77,5,-2\npurchase,u1,2026-01-01T10:00:00Z,B,77,1,1\n"
    )
    assert [line.reason for line in list_quarantine(bench.store)] == ["quantity_negative"] * 2
    path = bench.folder / "q.csv"
    export_quarantine(bench.store, path)
    text = path.read_text().splitlines()
    path.write_text("\n".join(text[:2]).replace("-2", "2"))  # the other line was left out
    mended = mend_quarantine(bench.store, bench.clock, bench.retries(), path)
    assert mended.lines_kept == 2
    (order,) = bench.log()
    assert order.amount_cents == 1100
    assert list_quarantine(bench.store) == []


def test_a_line_of_json_that_could_not_be_read_is_mended_as_text(bench: Bench) -> None:
    bench.events(
        '{"event": "view", "user_id": "u1", "time": "2026-01-01T10:00:00Z", "product_id": "A"}\n'
        '{"event": "view", "user_id": "u1", "time": "2026-01-01T10:05:00Z", "product_id": "B"\n',
        "events.jsonl",
    )
    (line,) = list_quarantine(bench.store)
    assert (line.row, line.reason) == (2, "line_malformed")
    with pytest.raises(InvalidInput, match="no line to try again"):
        replay_quarantine(bench.store, bench.clock, bench.retries())
    path = bench.folder / "q.csv"
    export_quarantine(bench.store, path)
    path.write_text(path.read_text().replace('""B""', '""B""}'))
    assert mend_quarantine(bench.store, bench.clock, bench.retries(), path).lines_kept == 1
    assert [e.lines[0].item_id for e in bench.log()] == ["A", "B"]


def test_a_replay_without_a_change_keeps_everything_where_it_is(bench: Bench) -> None:
    text = HEAD + "view,,2026-01-01T10:00:00Z,A,,,\nview,u1,2026-01-01T10:00:00Z,A,,,\n"
    bench.events(text)
    before = list_quarantine(bench.store)
    report = replay_quarantine(bench.store, bench.clock, bench.retries())
    assert (report.lines_in, report.lines_kept) == (1, 0)
    assert list_quarantine(bench.store) == before


def test_dates_are_read_in_the_files_order_and_zone(bench: Bench) -> None:
    head = "event,user_id,date,product_id\n"
    report = bench.events(head + "view,u1,13/07/2025 10:00,A\nview,u1,01/07/2025 10:00,A\n")
    assert report.date_format == "D/M/Y"
    assert [e.occurred_at.isoformat() for e in bench.log()] == [
        "2025-07-13T09:00:00+00:00",
        "2025-07-01T09:00:00+00:00",
    ]
    with pytest.raises(InvalidInput, match="--date-format"):
        bench.events(head + "view,u1,03/04/2025 10:00,A\nview,u1,05/06/2025 10:00,A\n", "b.csv")
    bench.events(head + "view,u2,03/04/2025 10:00,A\n", "c.csv", date_format="mdy")
    assert bench.log()[-1].occurred_at.month == 3


def test_a_column_that_is_empty_at_first_is_known_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PART", 2)
    monkeypatch.setattr(take, "is_worthwhile", lambda _lines: False)
    rows = "".join(f"view,,b1,2026-01-01T10:00:0{n}Z,A\n" for n in range(4))
    bench.events(
        "event,user_id,anonymous_id,timestamp,product_id\n"
        + rows
        + "view,u1,b1,2026-01-01T10:00:09Z,A\n"
    )
    assert all("user_id" not in e.properties for e in bench.log())
    records = [{"event": "view", "user_id": "u1", "time": f"2026-01-02T10:00:0{n}Z",
                "product_id": "A"} for n in range(3)]  # fmt: skip
    late = {**records[0], "time": "2026-01-03", "search_term": "Lamp", "event": "search"}
    text = "\n".join(msgspec.json.encode(r).decode() for r in [*records, late])
    report = bench.events(text, "events.jsonl")
    assert report.mapping["query"] == "search_term"
    assert bench.log()[-1].query == "lamp"


@pytest.mark.parametrize(
    ("name", "content", "error", "told"),
    [
        ("e.csv", "", FileUnreadable, "is empty"),
        ("e.jsonl", "a,b\n1,2\n", FileUnreadable, "named .jsonl but holds text"),
        ("e.csv", '{"a": 1}\n', FileUnreadable, "named .csv but holds JSON"),
        ("e.json", '[{"event": "view"}', FileUnreadable, "one object a line"),
        ("e.parquet", "PAR1 and then nothing", FileUnreadable, "damaged or cut short"),
        ("e.xml", "<a/>", FileUnreadable, "is an XML file; export it as CSV, JSON lines"),
        ("e.csv", "event,when\nview,2026-01-01\n", UnknownColumn, "--map time=COLUMN,user=COLUMN"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_what_to_do(
    bench: Bench, name: str, content: str, error: type[Exception], told: str
) -> None:
    path: Path = bench.file(content, name)
    with pytest.raises(error) as raised:
        bench.lines("events", path)
    assert told in str(raised.value)
    assert bench.log() == []
