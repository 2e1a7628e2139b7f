"""A file that another process reads and cleans comes in as it would in one process."""

from __future__ import annotations

import os
import pickle
import signal
import weakref
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from lingxi.config import Settings
from lingxi.errors import FileUnreadable, InvalidInput, StoreBusy
from lingxi.ingest.cleaning import Rules, clean
from lingxi.ingest.files import beside, keeping, take
from lingxi.ingest.files.carrying import pack, unpack
from lingxi.ingest.files.keeping import Noted
from lingxi.ingest.files.lines import Lines
from lingxi.ingest.files.records import Part, RecordFile
from lingxi.ingest.files.units import Unit
from lingxi.ingest.message import Cleaned, Message
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.quarantine import list_quarantine
from lingxi.ingest.reasons import DropReason
from lingxi.ingest.report import ImportReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conftest import Bench
    from lingxi.ingest.carried import Judged

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


def test_what_comes_next_is_made_while_nobody_listens() -> None:
    """One batch was made and stood in the pipe: each side waited for the other in turn."""
    made: list[int] = []

    def say() -> Iterator[object]:
        for number in range(6):
            made.append(number)
            yield number, b" " * 2**18  # more than a pipe holds
        yield None

    there, here = os.pipe()
    with os.fdopen(there, "rb") as ours, os.fdopen(here, "wb") as theirs:
        teller = Thread(target=beside.send_ahead, args=(theirs, say()))
        teller.start()
        deadline = monotonic() + 30
        while len(made) < 6 and monotonic() < deadline:
            sleep(0.01)
        assert made == list(range(6))
        heard = [beside.receive(ours) for _ in range(6)]
        assert [each[0] for each in heard if isinstance(each, tuple)] == made
        assert beside.receive(ours) is None
        teller.join()


def test_who_says_something_that_nobody_hears_is_told() -> None:
    there, here = os.pipe()
    os.close(there)
    endless = repeat(b" " * 2**18)
    theirs = os.fdopen(here, "wb", buffering=0)
    with pytest.raises(BrokenPipeError):
        beside.send_ahead(theirs, endless)
    theirs.close()


def test_a_file_that_another_process_reads_is_not_held_here(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first part of it, and what Arrow had read ahead, stayed until the end: 200 MB."""
    read = RecordFile.parts
    given: list[weakref.ref[object]] = []

    def watch(self: RecordFile) -> Iterator[Part]:
        for part in read(self):
            given.append(weakref.ref(part))
            yield part
            del part

    monkeypatch.setattr(RecordFile, "parts", watch)
    path = bench.file(make_file(20), "events.csv")
    lines = Lines.open(path, "events", bench.settings, bench.clock.now(), ImportOptions())
    lines.look()
    assert [each() is not None for each in given] == [True]
    lines.leave()
    assert [each() is not None for each in given] == [False]
    assert list(lines) == []


def count_kept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Messages of each transaction of the imports to come."""
    kept: list[int] = []
    keep = take.Intake.keep

    def count(self: take.Intake, judged: Sequence[Judged], **named: Any) -> object:
        kept.append(len(judged))
        return keep(self, judged, **named)

    monkeypatch.setattr(take.Intake, "keep", count)
    return kept


@pytest.mark.usefixtures("always")
def test_transactions_grow_and_what_is_kept_stays_the_same(
    make_bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, other = make_bench(), make_bench()
    text = make_file(7_600).replace(",u7,", ",,")  # browsers that turn out to be somebody's
    kept = count_kept(monkeypatch)
    with monkeypatch.context() as small:
        small.setattr(keeping, "_MOST_TOGETHER", 1)
        expected = describe(alone, alone.events(text))
    assert max(kept) == 1_000
    kept.clear()
    assert describe(other, other.events(text)) == expected
    assert kept[:3] == [1_000, 2_000, 4_000]
    assert {e.name for e in alone.log()} >= {"Customers Merged", "Order Completed"}


@pytest.mark.usefixtures("always")
def test_transactions_are_short_where_somebody_else_writes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = count_kept(monkeypatch)
    keep = take.Intake.keep
    body: dict[str, object] = {"type": "track", "event": "Quiz Finished", "userId": "v"}
    client = take.Intake(bench.store, bench.settings, bench.clock)

    def keep_beside_another(self: take.Intake, judged: Sequence[Judged], **named: Any) -> object:
        done = keep(self, judged, **named)
        if self is not client:
            own = {**body, "messageId": f"q{len(kept)}"}
            raw = msgspec.json.encode(own)
            at = bench.clock.now()
            client.take([Message(body=own, raw=raw, received_at=at, source="web")])
        return done

    monkeypatch.setattr(take.Intake, "keep", keep_beside_another)
    bench.events(make_file(5_000))
    of_file = [n for n in kept if n > 1]
    assert of_file[1] == 2_000  # before it is known that somebody else writes
    assert set(of_file[2:-1]) == {1_000}
