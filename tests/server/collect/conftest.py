"""The whole server over a new shop, the collector's door in front of it as in production."""

import base64
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from litestar import Litestar
from litestar.testing import TestClient

sys.path.insert(0, str(Path(__file__).parent))

from lingxi.access.sources import Source, SourceKind, create_source, list_sources
from lingxi.app.shop import Shop, init_shop
from lingxi.ingest.waiting import Waiting, read_waiting
from lingxi.schema import Event
from lingxi.server.collect import Front
from lingxi.server.logs import configure_logs


@dataclass(frozen=True)
class Collector:
    """A client of the server, and what the shop holds behind it."""

    shop: Shop
    app: Litestar
    client: TestClient[Litestar]
    source: Source

    @property
    def basic(self) -> dict[str, str]:
        """The header of a client that knows the write key."""
        return basic(self.source.write_key)

    def events(self) -> list[Event]:
        return self.shop.store.log.read()

    def aside(self) -> list[Waiting]:
        return list(read_waiting(self.shop.store))

    def make_source(self, name: str, kind: SourceKind = SourceKind.WEB, **words: object) -> Source:
        store = self.shop.store
        with store.write() as tx:
            return create_source(
                tx, store.keyring, self.shop.clock.now(), name, kind, actor="test", **words
            )


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


@pytest.fixture(autouse=True)
def _json_logs() -> Iterator[None]:
    configure_logs(cache=False)
    yield
    structlog.reset_defaults()


@pytest.fixture
def environ() -> dict[str, str]:
    """Settings of the collector that a test changes."""
    return {}


@pytest.fixture
def shop(tmp_path: Path, environ: dict[str, str]) -> Iterator[Shop]:
    """A new shop, open."""
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    shop = Shop.open(folder, environ=environ)
    yield shop
    shop.close()


@pytest.fixture
def collector(app: Litestar, shop: Shop) -> Iterator[Collector]:
    with shop.store.read() as tx:
        source = list_sources(tx)[0]
    with TestClient(
        Front(app.state["door"], app.state["lane"], app), raise_server_exceptions=False
    ) as client:
        yield Collector(shop, app, client, source)


__all__ = ["Collector", "basic"]
