"""A file that another process reads and cleans comes in as it would in one process."""

from __future__ import annotations

import os
import pickle
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lingxi.config import Settings
from lingxi.errors import FileUnreadable, InvalidInput, StoreBusy
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.files import beside, take
from lingxi.ingest.files.carrying import pack, unpack
from lingxi.ingest.files.keeping import Noted
from lingxi.ingest.files.units import Unit
from lingxi.ingest.message import Cleaned
from lingxi.ingest.quarantine import list_quarantine
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.report import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Bench

HEAD = "message_id,event,user_id,anonymous_id,timestamp,product_id,price,order_id,user_agent,mood\n"


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "is_worthwhile", lambda _lines: True)


def make_file(n: int = 1_200) -> str:
    """Views, orders of two lines, and of each kind of trouble some."""
    rows = []
    for i in range(n):
        name = ("", "Order Completed", "Quiz Finished", "Product Viewed")[min(i % 23, 3)]
        agent = "Googlebot/2.1" if i % 31 == 0 else "Firefox"
        at = "" if i % 41 == 0 else f"2026-01-{1 + i % 28:02}T10:00:00Z"
        row = (f"m{i - i % 7 % 2}", name, f"u{i % 50}", f"a{i % 60}", at, f"I{i % 9}", "5.50",
               f"O{i // 46}" if i % 23 == 1 else "", agent, "glad" if i % 3 else "")  # fmt: skip
        rows.append(",".join(row))
    return HEAD + "\n".join(rows) + "\n"


def describe(bench: Bench, report: ImportReport) -> object:
    aside = list_quarantine(bench.store, n=10_000)
    log = [(e.event_id, e.name, e.subject, e.occurred_at, e.lines) for e in bench.log()]
    return log, msgspec.structs.replace(report, seconds=0.0), [(q.row, q.reason) for q in aside]


def test_log_report_and_quarantine_are_the_same(
    make_bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, other = make_bench(), make_bench()
    text = make_file()
    expected = describe(alone, alone.events(text))
    monkeypatch.setattr(take, "is_worthwhile", lambda _lines: True)
    assert describe(other, other.events(text)) == expected
    assert len(alone.log()) > 500
    again = other.events(text)
    assert again.events_new == 0
    assert len(other.log()) == len(alone.log())


@pytest.mark.usefixtures("always")
def test_an_import_that_broke_off_goes_on(
    make_bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = make_bench(), make_bench()
    text = make_file()
    expected = describe(whole, whole.events(text))
    keep = take.Intake.keep
    calls: list[int] = []

    def fail_at_the_second(*args: Any, **named: Any) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise StoreBusy("somebody else writes")
        return keep(*args, **named)

    monkeypatch.setattr(take.Intake, "keep", fail_at_the_second)
    with pytest.raises(StoreBusy):
        broken.events(text)
    assert describe(broken, broken.events(text)) == expected


@pytest.mark.usefixtures("always")
def test_what_is_wrong_with_the_file_is_told_in_its_own_words(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEAD + "m1,Product Viewed,u1,a1,01/02/2026,A,5,,Firefox,\n"
    monkeypatch.setattr(take.Lines, "look", lambda _lines: None)
    with pytest.raises(InvalidInput, match="date"):
        bench.events(text)


@pytest.mark.usefixtures("always")
def test_a_reader_that_was_stopped_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    enter = beside.Beside.__enter__

    def stop(self: beside.Beside) -> beside.Beside:
        os.kill(self._child.pid, signal.SIGKILL)
        self._child.wait()
        with pytest.raises(BrokenPipeError):
            enter(self)
        return self

    monkeypatch.setattr(beside.Beside, "__enter__", stop)
    with pytest.raises(FileUnreadable, match="goes on where it stopped"):
        bench.events(make_file(3))
    assert bench.log() == []


@pytest.mark.parametrize("number", [7, 2**70])
def test_what_is_carried_over_arrives_as_it_left(number: int) -> None:
    now = datetime(2026, 3, 1, 12, 30, 0, 123_456, tzinfo=UTC)
    body: dict[str, object] = {
        "type": "track",
        "event": "purchase",
        "messageId": "m1",
        "userId": "u1",
        "anonymousId": "null",
        "timestamp": "2026-01-02T03:04:05.678901Z",
        "context": {"traits": {"email": "Ada@Shop.example"}, "userAgent": "Firefox"},
        "properties": {
            "orderId": "O1",
            "notes": {"deep": [number, None, 1.5]},
            "mood": "glad",
            "products": [{"product_id": "A", "price": 5.5, "quantity": 2}],
        },
    }
    units = [
        Unit([1, 2], [{}], body, fields=frozenset({"event", "user"})),
        Unit([3], [{"line": "x"}], {"messageId": "row-3"}, DropReason.LINE_MALFORMED),
        Unit([4], [{}], {**body, "messageId": "m4"}, fields=frozenset({"event"})),
    ]
    rules = Rules.of(Settings(folder=Path("shop")))
    judged = [clean(unit.to_message("events", now), rules) for unit in units]
    batch = pickle.loads(pickle.dumps(pack(units, judged, Noted("events"), 4, None)))
    found, arrived = unpack(batch, "events", now)
    assert [(u.rows, u.fields) for u in found] == [(u.rows, u.fields) for u in units]
    assert arrived[1] == judged[1]
    for one, other in ((arrived[0], judged[0]), (arrived[2], judged[2])):
        assert isinstance(other, Cleaned)
        assert other.private
        assert other.steps
        assert isinstance(one, Cleaned)
        assert one.message.raw == other.message.raw
        assert msgspec.structs.replace(one, message=other.message) == other
