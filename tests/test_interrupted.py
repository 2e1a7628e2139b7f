"""kill -9 at any moment, run again: the shop is what it would have been. Long form: tests/proof."""

import shutil
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from demo_shop import DEMO_END
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.schema import Event

sys.path.insert(0, str(Path(__file__).parent / "proof"))

from interruption import finish, read_state, run_killed, run_whole, start

ROAD = ("items", "orders", "events", "train-without-churn", "plan")
pytestmark = pytest.mark.xdist_group("interrupted")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interrupted") / "empty"
    init_shop(
        folder,
        name="Shop",
        currency="GBP",
        timezone="Europe/London",
        language="en",
        clock=FixedClock(DEMO_END),
    ).close()
    return folder


@pytest.fixture(scope="module")
def whole(empty: Path, raw_shop: Path) -> tuple[Path, int]:
    """The shop after an undisturbed road, and its reports of progress on the way."""
    folder = empty.with_name("whole")
    shutil.copytree(empty, folder)
    return folder, run_whole(folder, raw_shop, ROAD)[1]


def test_killed_and_run_again_the_shop_is_the_same(
    empty: Path, raw_shop: Path, whole: tuple[Path, int], tmp_path: Path
) -> None:
    undisturbed, reports = whole
    rng = np.random.default_rng(7)
    folder = tmp_path / "killed"
    shutil.copytree(empty, folder)
    places = sorted(int(x) for x in rng.uniform(0.05, 0.9, 2) * reports)
    killed = [
        run_killed(folder, raw_shop, ROAD, rng.uniform(0, 0.05), reports=place) for place in places
    ]
    run_whole(folder, raw_shop, ROAD)
    assert killed[0]
    assert read_state(folder) == read_state(undisturbed)


def make_ping(event_id: str) -> Event:
    return Event(event_id=event_id, name="Pinged", occurred_at=DEMO_END, received_at=DEMO_END)


def test_readers_never_wait_and_writers_take_turns(
    empty: Path, raw_shop: Path, whole: tuple[Path, int], tmp_path: Path
) -> None:
    """One process goes the whole road; this one reads, with no patience, and writes, with some."""
    folder = tmp_path / "busy"
    shutil.copytree(empty, folder)
    hasty = {"LINGXI_STORE_LOCK_TIMEOUT_SECONDS": "0"}
    child = start(folder, raw_shop, ROAD)
    reader = Shop.open(folder, clock=FixedClock(DEMO_END), environ=hasty)
    writer = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    failures: list[Exception] = []
    written: list[str] = []

    def write() -> None:
        try:
            while child.poll() is None:
                name = f"side-{len(written)}"
                writer.store.log.append([make_ping(name)])
                written.append(name)
        except Exception as error:
            failures.append(error)

    thread = Thread(target=write)
    thread.start()
    seen: list[int] = []
    while child.poll() is None:
        seen.append(reader.answers.status().events)
        reader.answers.customers(n=20)
        reader.answers.search("a")
    finish(child)
    thread.join()
    assert failures == []
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert len(written) > 5
    names = [e.event_id for e in writer.store.log.read(limit=10**6, names={"Pinged"})]
    assert names == written
    before = Shop.open(whole[0], clock=FixedClock(DEMO_END), environ={})
    assert writer.store.log.count() == before.store.log.count() + len(written)
    for shop in (before, reader, writer):
        shop.close()
