"""A shop of the tests of segments."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from segments.happenings import NOW
from segments.place import Place, make_place


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = init_shop(
        tmp_path / "shop",
        name="S",
        currency="GBP",
        timezone="UTC",
        language="en",
        clock=FixedClock(NOW),
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = make_place(tmp_path_factory.mktemp("place") / "shop")
    yield made
    made.shop.close()
