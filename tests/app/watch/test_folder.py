"""Files that are dropped into a folder: whole, once, moved on, told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lingxi.app.shop import Shop
from lingxi.app.watch.arrivals import Arrivals, claim
from lingxi.app.watch.folder import Watcher
from lingxi.app.watch.subjects import name_subject, read_options
from lingxi.errors import InvalidInput, StoreBusy
from lingxi.ingest import list_imports

if TYPE_CHECKING:
    pass

ORDERS = "order_id,sku,qty,price,date,customer_id\n1,A,1,5,2026-01-02,u1\n"
CUSTOMERS = "customer_id,level\nu1,gold\n"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


def make(shop: Shop, inbox: Path, settle_seconds: float = 0.0) -> Watcher:
    return Watcher(shop, inbox, settle_seconds=settle_seconds)


def drop(inbox: Path, name: str, text: str) -> Path:
    """As a careful writer does: written elsewhere, then renamed into place."""
    path = inbox / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_each_subject_comes_in_by_its_folder_or_its_name_and_moves_on(
    shop: Shop, inbox: Path
) -> None:
    watcher = make(shop, inbox)
    drop(inbox, "orders/january.csv", ORDERS)
    drop(inbox, "customers_2026-01.csv", CUSTOMERS)
    drop(inbox, "Products.jsonl", '{"item_id": "A", "name": "Lamp", "price": 5}\n')
    drop(inbox, "events/a.csv", "event,user_id,date,sku\nview,u1,2026-01-03,A\n")
    told = watcher.look()
    assert [(r.file, r.subject, r.result) for r in told] == [
        ("Products.jsonl", "items", "done"),
        ("customers_2026-01.csv", "customers", "done"),
        ("orders/january.csv", "orders", "done"),
        ("events/a.csv", "events", "done"),
    ]
    assert names(inbox / "orders") == names(inbox / "failed") == []
    done = names(inbox / "done")
    assert len(done) == 8
    report = next(name for name in done if name.endswith("orders-january.csv.report.json"))
    said = json.loads((inbox / "done" / report).read_text())
    assert (said["report"]["lines_in"], said["report"]["orders"]) == (1, 1)
    assert watcher.look() == []
    files = shop.answers.files()
    assert [(f.name, f.result) for f in files.files if f.subject == "orders"] == [
        ("orders/january.csv", "done")
    ]
    assert (files.folders[0].folder, files.folders[0].waiting) == (str(inbox), 0)


def test_what_cannot_be_read_fails_with_the_reason_beside_it_and_can_come_again(
    shop: Shop, inbox: Path
) -> None:
    watcher = make(shop, inbox)
    drop(inbox, "orders/bad.csv", "a,b\n1,2\n")
    drop(inbox, "notes.txt", "hello")
    told = {report.file: report for report in watcher.look()}
    assert told["orders/bad.csv"].code == "unknown_column"
    assert "does not say what it is about" in str(told["notes.txt"].error)
    failed = names(inbox / "failed")
    assert len(failed) == 4
    row = next(f for f in shop.answers.files().files if f.name == "orders/bad.csv")
    assert row.result == "failed"
    assert "--map" in str(row.error)
    drop(inbox, "orders/bad.csv", ORDERS)
    assert [r.result for r in watcher.look()] == ["done"]


def test_a_file_that_is_still_growing_waits(shop: Shop, inbox: Path) -> None:
    watcher = make(shop, inbox, settle_seconds=0.3)
    path = inbox / "orders" / "slow.csv"
    with path.open("w") as file:
        file.write("order_id,sku,qty,")
        file.flush()
        assert watcher.look() == []
        old = time.time() - 60
        os.utime(path, (old, old))
        assert watcher.look() == [], "old enough, but a process has it open for writing"
        file.write("price,date,customer_id\n1,A,1,5,2026-01-02,u1\n")
    assert watcher.look() == [], "it changed a moment ago"
    time.sleep(0.4)
    assert [r.result for r in watcher.look()] == ["done"]


def test_what_was_written_long_ago_and_renamed_into_place_is_whole_at_once(tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    path = drop(inbox, "orders.csv", ORDERS)
    arrivals = Arrivals(inbox, 30)
    assert arrivals.look() == []
    old = time.time() - 60
    os.utime(path, (old, old))
    assert arrivals.look() == [Path("orders.csv")]


@pytest.mark.parametrize(
    "name", [".orders.csv", "orders.csv.part", "orders.CSV.tmp", "~$orders.xlsx", "options.toml"]
)
def test_what_is_no_finished_data_is_left_alone(shop: Shop, inbox: Path, name: str) -> None:
    watcher = make(shop, inbox)
    (inbox / "orders" / name).write_text(ORDERS)
    (inbox / "orders" / "link.csv").symlink_to(inbox / "orders" / name)
    assert watcher.look() == []
    assert (inbox / "orders" / name).exists()


def test_a_file_that_another_watcher_has_is_left_to_it(shop: Shop, inbox: Path) -> None:
    watcher = make(shop, inbox)
    path = drop(inbox, "orders.csv", ORDERS)
    with claim(path) as first:
        assert first
        assert watcher.look() == []
    assert [r.result for r in watcher.look()] == ["done"]
    with claim(path) as gone:
        assert not gone


def test_a_busy_database_is_not_the_files_fault(
    shop: Shop, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = make(shop, inbox)
    drop(inbox, "customers.csv", CUSTOMERS)

    def busy(*_: object, **__: object) -> None:
        raise StoreBusy("busy")

    monkeypatch.setattr(shop.intake, "take", busy)
    with pytest.raises(StoreBusy):
        watcher.look()
    assert names(inbox / "failed") == []
    monkeypatch.undo()
    assert [r.result for r in watcher.look()] == ["done"]


def test_options_beside_the_files_say_how_they_are_read(shop: Shop, inbox: Path) -> None:
    watcher = make(shop, inbox)
    (inbox / "orders" / "options.toml").write_text(
        'date_format = "dmy"\n[map]\norder = "No"\nitem = "Ware"\n'
    )
    drop(inbox, "orders/x.csv", "No;Ware;qty;price;date;customer_id\n1;A;1;5;02/01/2026;u1\n")
    (report,) = watcher.look()
    assert report.result == "done"
    assert report.report is not None
    assert report.report.mapping["item"] == "Ware"
    (inbox / "items" / "options.toml").write_text("complete = 1\n")
    with pytest.raises(InvalidInput, match="complete cannot be 1"):
        read_options(inbox, Path("items/a.csv"))
    (inbox / "items" / "options.toml").write_text('delimitr = ";"\n')
    with pytest.raises(InvalidInput, match="did you mean 'delimiter'"):
        read_options(inbox, Path("items/a.csv"))


@pytest.mark.parametrize(
    ("place", "subject"),
    [
        ("orders/2026/11/a.csv", "orders"),
        ("Kunden/customers.csv", "customers"),
        ("sales-2026-11.csv", "orders"),
        ("订单_11月.csv", "orders"),
        ("CLICKS.20261127.parquet", "events"),
    ],
)
def test_names_say_the_subject(place: str, subject: str) -> None:
    if place.startswith("订单"):
        place = "订单 11月.csv"
    assert name_subject(Path(place)) == subject


def test_a_name_that_says_two_subjects_says_none() -> None:
    with pytest.raises(InvalidInput, match="names more than one subject"):
        name_subject(Path("orders-and-customers.csv"))


PROGRAM = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from lingxi.app.shop import Shop
from lingxi.app.watch.run import watch
from lingxi.clock import FixedClock
shop = Shop.open(Path(sys.argv[1]), clock=FixedClock(datetime(2026, 3, 1, tzinfo=UTC)))
print("ready", flush=True)
watch(shop, Path(sys.argv[2]), lambda report: None, once="once" in sys.argv)
"""


def start(shop: Path, inbox: Path, *more: str) -> subprocess.Popen[str]:
    settle = {**os.environ, "LINGXI_WATCH_SETTLE_SECONDS": "0", "LINGXI_WATCH_LOOK_SECONDS": "0.05"}
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(shop), str(inbox), *more],
        stdout=subprocess.PIPE,
        text=True,
        env=settle,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.mark.slow
def test_two_watchers_one_killed_while_it_works_count_every_line_once(
    shop: Shop, inbox: Path
) -> None:
    make(shop, inbox)
    rows = "".join(f"u{n},{n % 5}\n" for n in range(1_500))
    for number in range(4):
        text = f"customer_id,level\n{rows if number == 0 else ''}x{number},1\n"
        drop(inbox, f"customers/{number}.csv", text)
    folder = shop.settings.folder
    children = [start(folder, inbox) for _ in range(2)]
    while not any(names(inbox / "done")) and not shop.store.log.count():
        time.sleep(0.02)
    children[0].send_signal(signal.SIGKILL)
    children[0].wait(30)
    start(folder, inbox, "once").wait(60)
    end = time.monotonic() + 60
    while any(names(inbox / "customers")) and time.monotonic() < end:
        time.sleep(0.05)
    children[1].terminate()
    children[1].wait(30)
    for child in children:
        assert child.stdout is not None
        child.stdout.close()
    assert names(inbox / "failed") == []
    assert len([n for n in names(inbox / "done") if n.endswith(".csv")]) == 4
    told = [e.event_id for e in shop.store.log.read(limit=10_000, names={"Identified"})]
    assert len(told) == len(set(told)) == 1_504
    assert {report.kind for report in list_imports(shop.store)} == {"customers"}
