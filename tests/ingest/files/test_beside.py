"""A file that another process reads and cleans comes in as it would in one process."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import msgspec
import pytest

from lingxi.errors import FileUnreadable, InvalidInput, StoreBusy
from lingxi.ingest.files import beside, take
from lingxi.ingest.quarantine import list_quarantine
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

    def fail_at_the_second(*args: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise StoreBusy("somebody else writes")
        return keep(*args, **named)  # type: ignore[arg-type]

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
