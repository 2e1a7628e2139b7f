"""kill -9 while a file comes in: run again it goes on, and nothing shows that it ever stopped."""

from __future__ import annotations

import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo_shop import DEMO_END
from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.ingest import find_customer
from lingxi.ingest.runs import list_imports
from lingxi.ingest.sealed import read_traits

if TYPE_CHECKING:
    import subprocess

sys.path.insert(0, str(Path(__file__).parents[2] / "proof"))

from interruption import read_state, run_whole, start

LINES = 2_200


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Customers, some twice, some of nobody; every tenth was somebody else's browser before."""
    folder = tmp_path_factory.mktemp("raw")
    rows = ["customer_id,email,level,accepts_marketing"]
    for n in range(LINES):
        who = "," if n % 50 == 7 else f"u{n % 2_100},p{n % 2_100}@example.com"
        rows.append(f"{who},{n % 5},{'yes' if n % 3 else 'no'}")
    (folder / "customers.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop") / "empty"
    init_shop(
        folder,
        name="S",
        currency="GBP",
        timezone="UTC",
        language="en",
        clock=FixedClock(DEMO_END),
    ).close()
    return folder


def read_people(folder: Path) -> list[dict[str, str]]:
    """What is held of some customers, in plain text."""
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    with shop.store.read() as tx:
        names = [f"u{n}" for n in range(0, 2_100, 21) if n % 50 != 7]
        found = [read_traits(shop.store, tx, find_customer(tx, name)) for name in names]
    shop.close()
    assert all(found)
    return found


def kill_after(child: subprocess.Popen[str], lines: int) -> None:
    """Kill as soon as so many lines were told to be in."""
    assert child.stdout is not None
    for told in child.stdout:
        done = told.rpartition(" ")[2].partition("/")[0]
        if told.startswith("Writing") and int(done) >= lines:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=60)


def test_killed_and_run_again_file_and_report_are_as_if_never_stopped(
    raw: Path, empty: Path
) -> None:
    whole, killed = empty.with_name("whole"), empty.with_name("killed")
    for folder in (whole, killed):
        shutil.copytree(empty, folder)
    run_whole(whole, raw, ["customers"])
    for lines in (1_000, 2_000):
        child = start(killed, raw, ["customers"])
        kill_after(child, lines)
        assert child.returncode == -signal.SIGKILL
    run_whole(killed, raw, ["customers"])
    assert read_state(killed) == read_state(whole)
    reports = []
    for folder in (whole, killed):
        shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
        (report,) = list_imports(shop.store)
        reports.append({**{f: getattr(report, f) for f in report.__struct_fields__}, "seconds": 0})
        shop.close()
    assert reports[0] == reports[1]
    assert read_people(killed) == read_people(whole)
    assert reports[0]["lines_in"] == LINES


def test_what_was_taken_is_not_taken_again(
    raw: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = empty.with_name("broken")
    shutil.copytree(empty, folder)
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    take = shop.intake.take
    taken: list[int] = []

    def break_off(messages: list[object], **kwargs: object) -> object:
        taken.append(len(messages))
        if len(taken) == 3:
            raise OSError("the line is cut")
        return take(messages, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.intake, "take", break_off)
    with pytest.raises(OSError, match="cut"):
        jobs.import_customers(shop, raw / "customers.csv")
    taken[:] = [0] * 10
    report = jobs.import_customers(shop, raw / "customers.csv")
    shop.close()
    assert sum(taken) == LINES - 2_000
    assert report.lines_in == LINES
