"""What all tests share: the real data, and one small shop that went the whole road."""

import fcntl
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lingxi.clock import FixedClock

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
DEMO_END = datetime(2026, 6, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def online_retail() -> Path:
    """The Online Retail file, dirt included."""
    path = SHARED_DATA / "online_retail" / "online_retail.parquet"
    if not path.is_file():
        pytest.skip(f"needs the Online Retail data at {path}")
    return path


@pytest.fixture(scope="session")
def raw_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the tiny simulated shop, the truth beside them."""
    from lingxi.simulation import preset, simulate, write_shop

    folder = tmp_path_factory.mktemp("raw-shop")
    settings = preset("tiny", seed=7, end=DEMO_END, timezone="Europe/London")
    write_shop(simulate(settings), folder)
    return folder


@pytest.fixture(scope="session")
def demo_folder(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str, request: pytest.FixtureRequest
) -> Path:
    """A shop made once per run from the tiny simulation, copied for each worker."""
    root = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        root = root.parent
    made = root / "demo-shop"
    with (root / "demo-shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "done").exists():
            _make_shop(made, request.getfixturevalue("raw_shop"))
            (made / "done").touch()
    mine = tmp_path_factory.mktemp("shops") / "demo-shop"
    shutil.copytree(made, mine)
    return mine


@pytest.fixture(scope="session")
def demo_shop(demo_folder: Path) -> Iterator["Shop"]:
    """The opened shop; its clock stands at the end of its data. Read it, do not change it."""
    from lingxi.app.shop import Shop

    shop = Shop.open(demo_folder, clock=FixedClock(DEMO_END), environ={})
    yield shop
    shop.close()


def _make_shop(folder: Path, raw: Path) -> None:
    from lingxi.app import jobs
    from lingxi.app.shop import init_shop

    clock = FixedClock(DEMO_END)
    shop = init_shop(
        folder,
        name="Willow & Finch",
        currency="GBP",
        timezone="Europe/London",
        language="en",
        clock=clock,
    )
    jobs.import_items(shop, raw / "items.csv")
    jobs.import_orders(shop, raw / "orders.csv")
    jobs.import_events(shop, raw / "events.parquet")
    for job in jobs.TRAINING:
        job.run(shop, lambda *_: None)
    jobs.make_plan(shop)
    shop.close()
