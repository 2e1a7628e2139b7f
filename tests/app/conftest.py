"""A shop of the tests of ``app``: open, without anything in it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock

NOW = datetime(2026, 3, 1, tzinfo=UTC)


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
