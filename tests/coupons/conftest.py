"""A till over an empty store, on SQLite."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lingxi.config import Settings, ShopSettings
from lingxi.coupons import Coupons
from lingxi.store import Store

sys.path.insert(0, str(Path(__file__).parent))

from coupon_shop import is_member, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(
        Settings(folder=tmp_path, shop=ShopSettings(currency="GBP", timezone="Europe/London"))
    )
    yield opened
    opened.close()


@pytest.fixture
def till(store: Store) -> Coupons:
    return Coupons(store, is_member)
