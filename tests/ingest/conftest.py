"""A small shop to import into."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from ingest.merging_shop import MakeShop, Shop, open_shop
from lingxi.clock import FixedClock
from lingxi.config import Settings, ShopSettings
from lingxi.ingest import (
    ImportOptions,
    ImportReport,
    Retries,
    import_lines,
    import_orders,
    retry_lines,
    retry_orders,
)
from lingxi.ingest.intake import Intake
from lingxi.ingest.tables import metadata
from lingxi.schema import Event
from lingxi.store import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Bench:
    """A store with what an import needs, and short ways to import text."""

    store: Store
    settings: Settings
    clock: FixedClock
    folder: Path

    def file(self, text: str, name: str = "orders.csv") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def orders(self, text: str, **options: str) -> ImportReport:
        path = self.file(text)
        chosen = ImportOptions.parse(**options)
        return import_orders(self.store, self.settings, self.clock, path, chosen)

    def events(self, text: str, name: str = "events.csv", **options: str) -> ImportReport:
        return self.lines("events", self.file(text, name), **options)

    def customers(self, text: str, name: str = "customers.csv", **options: str) -> ImportReport:
        return self.lines("customers", self.file(text, name), **options)

    def lines(self, kind: str, path: Path, **options: str) -> ImportReport:
        intake = Intake(self.store, self.settings, self.clock)
        chosen = ImportOptions.parse(**options)
        return import_lines(self.store, self.settings, self.clock, intake, path, kind, chosen)

    def retries(self) -> Retries:
        place = self.store, self.settings
        lines = partial(retry_lines, *place, Intake(self.store, self.settings, self.clock))
        orders = partial(retry_orders, *place)
        return {"orders": orders, "events": lines, "customers": lines}

    def log(self) -> list[Event]:
        return self.store.log.read()


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[[], Bench]]:
    made: list[Bench] = []

    def make() -> Bench:
        folder = tmp_path / f"shop-{len(made)}"
        folder.mkdir()
        settings = Settings(folder=folder, shop=ShopSettings(timezone="Europe/London"))
        clock = FixedClock(NOW)
        bench = Bench(Store.open(settings, clock, tables=[metadata]), settings, clock, folder)
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.store.close()


@pytest.fixture
def bench(make_bench: Callable[[], Bench]) -> Bench:
    return make_bench()


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[MakeShop]:
    made: list[Shop] = []

    def make(url: str = "", *, calling_code: str = "", **limits: int) -> Shop:
        folder = tmp_path / f"messages-{len(made)}"
        made.append(open_shop(folder, url, calling_code=calling_code, **limits))
        return made[-1]

    yield make
    for shop in made:
        shop.store.close()
