"""Lines set aside: listed, exported, mended, replayed, forgotten."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from ingest.conftest import NOW
from lingxi.errors import InvalidInput
from lingxi.ingest import (
    ImportReport,
    expire_quarantine,
    export_quarantine,
    find_customer,
    forget,
    list_quarantine,
    mend_quarantine,
    replay_quarantine,
)
from lingxi.ingest.intake import Intake
from lingxi.ingest.quarantine import Found, count_quarantine, put_quarantine
from lingxi.ingest.tables import quarantine_seen

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Bench

HEAD = "order_id,sku,qty,price,date,customer_id\n"
DIRTY = HEAD + (
    "1,A1,1,5,2024-01-15,ann\n"
    "1,B2,one,5,2024-01-15,ann\n"  # quantity unreadable; the rest of the order is kept
    "2,A1,1,5,2024-13-15,bea\n"  # no such month; nothing of the order is kept
    "1,A1,1,5,2024-01-15,ann\n"  # exact duplicate
    "3,A1\n"  # malformed
)


def edit(path: Path, changes: dict[str, dict[str, str]]) -> None:
    """Change cells of an exported quarantine, by reason."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, fieldnames=list(rows[0]))
        out.writeheader()
        out.writerows(row | changes.get(row["reason"], {}) for row in rows)


def export(bench: Bench) -> Path:
    path = bench.folder / "quarantine.csv"
    export_quarantine(bench.store, path)
    return path


def mend(bench: Bench, path: Path) -> ImportReport:
    return mend_quarantine(bench.store, bench.clock, bench.retries(), path)


def waiting(bench: Bench) -> list[str]:
    return sorted(line.reason for line in list_quarantine(bench.store))


def test_lines_are_listed_as_they_stood_in_the_file(bench: Bench) -> None:
    bench.orders(DIRTY)
    lines = {line.reason: line for line in list_quarantine(bench.store)}
    assert lines["number_unreadable"].row == 2
    assert lines["number_unreadable"].raw["qty"] == "one"
    assert lines["line_malformed"].raw == {"line": "3,A1"}
    first = list_quarantine(bench.store, n=1)
    rest = list_quarantine(bench.store, after=first[0].id)
    assert len(first) + len(rest) == 4
    assert [x.reason for x in list_quarantine(bench.store, reason="exact_duplicate")] == [
        "exact_duplicate"
    ]


def test_mended_lines_reach_the_log_once(bench: Bench) -> None:
    bench.orders(DIRTY)
    path = export(bench)
    edit(path, {"number_unreadable": {"qty": "2"}, "time_unreadable": {"date": "2024-01-16"}})
    report = mend(bench, path)
    assert (report.lines_in, report.lines_kept) == (2, 2)
    assert report.revenue_after_cents == report.revenue_before_cents > 0
    assert waiting(bench) == ["exact_duplicate", "line_malformed"]
    parts = [e for e in bench.log() if e.order_id == "1"]
    assert [[(p.item_id, p.quantity) for p in e.lines] for e in parts] == [[("A1", 1)], [("B2", 2)]]
    assert [e.order_id for e in bench.log()].count("2") == 1
    log = bench.log()
    with pytest.raises(InvalidInput, match="no line to try again"):
        mend(bench, path)
    assert bench.log() == log
    bench.orders(DIRTY)
    assert bench.log() == log
    assert waiting(bench) == ["exact_duplicate", "line_malformed"]


def test_a_line_mended_badly_stays_with_its_new_reason(bench: Bench) -> None:
    bench.orders(DIRTY)
    path = export(bench)
    edit(path, {"number_unreadable": {"qty": "0"}})
    report = mend(bench, path)
    assert report.lines_in == report.lines_kept + report.lines_set_aside
    assert waiting(bench) == [
        "exact_duplicate",
        "line_malformed",
        "quantity_zero",
        "time_unreadable",
    ]


def test_a_malformed_row_is_mended_by_filling_in_its_cells(bench: Bench) -> None:
    bench.orders(DIRTY)
    path = export(bench)
    cells = {"order_id": "3", "sku": "A1", "qty": "1", "price": "5", "date": "2024-01-17"}
    edit(path, {"line_malformed": cells})
    mend(bench, path)
    assert "line_malformed" not in waiting(bench)
    assert "3" in [e.order_id for e in bench.log()]


def test_replay_lets_through_what_the_rules_now_allow(bench: Bench) -> None:
    bench.orders(HEAD + "1,A1,1,5,2024-01-15,ann\n2,A1,1,5,2026-03-05,ann\n")
    assert waiting(bench) == ["time_impossible"]
    bench.clock.advance(timedelta(days=10))
    report = replay_quarantine(bench.store, bench.clock, bench.retries())
    assert report.lines_kept == 1
    assert waiting(bench) == []
    assert len(bench.log()) == 2


def test_replay_never_counts_a_duplicate(bench: Bench) -> None:
    bench.orders(DIRTY)
    log = bench.log()
    report = replay_quarantine(bench.store, bench.clock, bench.retries())
    assert report.lines_kept == 0
    assert bench.log() == log
    assert waiting(bench) == [
        "exact_duplicate",
        "line_malformed",
        "number_unreadable",
        "time_unreadable",
    ]


def test_a_file_that_is_no_export_is_refused(bench: Bench) -> None:
    bench.orders(DIRTY)
    with pytest.raises(InvalidInput, match="quarantine_id"):
        mend(bench, bench.file(DIRTY, "other.csv"))


def test_lines_expire_after_thirty_days(bench: Bench) -> None:
    bench.orders(DIRTY)
    with bench.store.write() as tx:
        assert expire_quarantine(tx, bench.clock.now() + timedelta(days=29)) == 0
        assert expire_quarantine(tx, bench.clock.now() + timedelta(days=30)) == 4


def test_a_formula_is_not_exported_as_one(bench: Bench) -> None:
    bench.orders(HEAD + "1,=1+1,0,5,2024-01-15,ann\n")
    path = export(bench)
    assert "'=1+1" in path.read_text()
    edit(path, {"quantity_zero": {"qty": "1"}})
    mend(bench, path)
    assert bench.log()[0].lines[0].item_id == "=1+1"


def test_quarantined_lines_are_not_readable_in_the_file(bench: Bench) -> None:
    bench.orders(HEAD.strip() + ",note\n1,A1,0,5,2024-01-15,ann,SECRETWORD\n")
    for path in (bench.folder / "data").rglob("*"):
        assert path.is_dir() or b"SECRETWORD" not in path.read_bytes()


def test_forgetting_removes_identifiers_and_quarantined_lines(bench: Bench) -> None:
    bench.orders(DIRTY + "4,A1,0,5,2024-01-15,ann\n")
    with bench.store.write() as tx:
        ann = find_customer(tx, "ann")
        assert forget(tx, frozenset({ann})) == 4
    kept = [replace_none(line.raw) for line in list_quarantine(bench.store)]
    assert all("ann" not in row.values() for row in kept)
    assert len(kept) == 2


def replace_none(raw: object) -> dict[str, str]:
    assert isinstance(raw, dict)
    return {k: v or "" for k, v in raw.items()}


def test_a_mended_part_does_not_bring_the_postage_of_its_order_again(bench: Bench) -> None:
    bench.orders(
        "order_id,sku,qty,price,date,customer_id,shipping\n"
        "1,A1,1,2.00,2024-01-15,7,4.95\n1,B2,one,3.00,2024-01-15,7,4.95\n"
    )
    path = export(bench)
    edit(path, {"number_unreadable": {"qty": "1"}})
    mend(bench, path)
    assert [(e.amount_cents, e.cost_cents) for e in bench.log()] == [(200, 495), (300, 0)]


def test_what_lies_in_quarantine_is_not_counted_with_each_batch(bench: Bench) -> None:
    """Each thousand lines of a file counted all that its earlier ones had left, twice."""
    said: list[str] = []
    event.listen(
        bench.store.engine, "before_cursor_execute", lambda _c, _x, text, *_: said.append(text)
    )
    found = [Found(1, "drop_x", "item_missing", {"a": "b"})]
    with bench.store.write() as tx:
        put_quarantine(bench.store, tx, "import-1", found, NOW)
    assert any("INSERT" in text and "quarantine" in text for text in said)
    assert not [text for text in said if "count(" in text]


NOBODY = "event,user_id,timestamp,product_id\n" + 2_300 * "view,,2024-01-15T10:00:00Z,A1\n"
"""Equal lines of nobody, over three batches."""


def count(bench: Bench) -> int:
    with bench.store.read() as tx:
        return sum(count_quarantine(tx).values())


def count_seen(bench: Bench) -> int:
    with bench.store.read() as tx:
        return tx.execute(sa.select(sa.func.count()).select_from(quarantine_seen)).scalar_one()


def test_equal_lines_of_different_batches_all_wait(bench: Bench) -> None:
    """Those of a later batch were taken for those of the first: 1,000 lay there of 2,300."""
    report = bench.events(NOBODY)
    assert report.lines_set_aside == count(bench) == 2_300
    assert count_seen(bench) == 0
    bench.clock.advance(timedelta(days=1))
    again = bench.events(NOBODY)
    longer = bench.events(NOBODY + 50 * NOBODY.splitlines(keepends=True)[1], "longer.csv")
    assert (again.lines_set_aside, longer.lines_set_aside) == (2_300, 2_350)
    assert count(bench) == 2_350


def test_equal_lines_of_an_import_that_broke_off_all_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0

    def break_off(self: Intake, judged: list[object], **kwargs: object) -> object:
        nonlocal taken
        taken += 1
        if taken == 2:
            raise OSError("the line is cut")
        return keep(self, judged, **kwargs)  # type: ignore[arg-type]

    keep = Intake.keep
    monkeypatch.setattr(Intake, "keep", break_off)
    with pytest.raises(OSError, match="cut"):
        bench.events(NOBODY)
    assert (count(bench), count_seen(bench)) == (1_000, 1)
    report = bench.events(NOBODY)
    assert report.lines_set_aside == count(bench) == 2_300
    assert count_seen(bench) == 0


def test_equal_lines_that_were_mended_do_not_come_back(bench: Bench) -> None:
    text = "event,user_id,timestamp,product_id\n" + 1_200 * "view,u1,soon,A1\n"
    bench.events(text)
    path = export(bench)
    right = {"timestamp": "2024-01-15T10:00:00Z"}
    edit(path, {"time_unreadable": right, "exact_duplicate": right})
    assert mend(bench, path).lines_in == 1_200
    held, log = count(bench), bench.log()
    assert len(log) == 1
    bench.events(text)
    assert (count(bench), bench.log()) == (held, log)


def test_what_an_import_has_seen_is_forgotten_where_it_never_ends(bench: Bench) -> None:
    line = Found(1, "drop_nobody", "visitor_missing", {"event": "view"})
    with bench.store.write() as tx:
        put_quarantine(bench.store, tx, "i1", [line, line], NOW, in_parts=True)
    assert count_seen(bench) == 1
    with bench.store.write() as tx:
        assert expire_quarantine(tx, NOW + timedelta(days=30)) == 2
    assert count_seen(bench) == 0
