"""A shop that has only ever known Gorse's data, trained, and served over HTTP."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from lingxi.access import Scope, create_key
from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.clock import FixedClock
from lingxi.recommend import train_recommenders
from lingxi.server.app import create_app
from lingxi.store import silent

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
GROUPS = {"jazz": range(20), "rock": range(20, 40)}


def write_export(path: Path) -> None:
    """Two tastes, forty items and sixty users who like items of one taste, over three months."""
    rng = np.random.default_rng(7)
    lines: list[dict[str, object]] = []
    for taste, items in GROUPS.items():
        for i in items:
            lines.append(
                {
                    "ItemId": f"i{i}",
                    "Categories": [taste, "music"],
                    "Timestamp": f"2026-01-{i % 28 + 1:02d}T00:00:00Z",
                    "Labels": [taste],
                    "Comment": f"Record {i}",
                }
            )
    for u in range(60):
        taste = "jazz" if u % 2 else "rock"
        lines.append({"UserId": f"u{u}", "Labels": {"taste": taste}})
        items = rng.permutation(list(GROUPS[taste]))[:8]
        for n, i in enumerate(items.tolist()):
            at = NOW - timedelta(days=90 - 11 * n, minutes=u)
            lines.append(
                {
                    "FeedbackType": "like",
                    "UserId": f"u{u}",
                    "ItemId": f"i{i}",
                    "Timestamp": at.isoformat(),
                }
            )
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")


@contextmanager
def serving(shop: Shop) -> Iterator[str]:
    """The address of a real server over the shop, in a thread."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(
        create_app(shop),
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if httpx.get(f"{address}/health/ready").status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.05)
    yield address
    loop.call_soon_threadsafe(server.stop)
    thread.join(10)


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop; tests of one module share it and use users and items of their own."""
    folder = tmp_path_factory.mktemp("music")
    init_shop(folder / "shop", name="Music", currency="EUR", timezone="UTC", language="en").close()
    environ = {"LINGXI_SERVER_REQUESTS_PER_MINUTE": "10"}
    shop = Shop.open(folder / "shop", clock=FixedClock(NOW), environ=environ)
    write_export(folder / "export.jsonl")
    report = jobs.import_gorse(shop, folder / "export.jsonl")
    assert (report.lines_in, report.lines_set_aside) == (40 + 60 + 480, 0)
    train_recommenders(shop.store, shop.settings, shop.clock, silent)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def secret(music: Shop) -> str:
    """A key that may do everything."""
    with music.store.write() as tx:
        return create_key(tx, NOW, "gorse", [Scope.ADMIN], actor="test").secret


@pytest.fixture(scope="module")
def address(music: Shop) -> Iterator[str]:
    """What a Gorse client is given as its entry point."""
    with serving(music) as found:
        yield f"{found}/gorse"
