"""A shop of the tests of journeys: open, without anything in it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from journey_road import Road, make_empty
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def shop(tmp_path: Path, clock: FixedClock) -> Iterator[Shop]:
    made = init_shop(
        tmp_path / "shop",
        name="S",
        currency="GBP",
        timezone="UTC",
        language="en",
        clock=clock,
    )
    yield made
    made.close()


@pytest.fixture(scope="session")
def empty_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that nothing has happened in, made once: migrations take most of a test's time."""
    return make_empty(tmp_path_factory.mktemp("empty") / "shop")


@pytest.fixture
def road(tmp_path: Path, empty_shop: Path) -> Iterator[Road]:
    made = Road(Path(shutil.copytree(empty_shop, tmp_path / "road")))
    yield made
    made.shop.close()
