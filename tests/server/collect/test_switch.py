"""Another model is put in use while requests come in: none fails, each names its version."""

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Lock, Thread

import pytest
from live import HOST, serve_shop

from lingxi.access import Scope, create_key
from lingxi.app.shop import Shop

KIND = "recommender"
PATIENCE_SECONDS = 120


class Load:
    """Clients that ask without a pause, and what they were answered."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.versions: Counter[str] = Counter()
        self.stop = Event()
        self._lock = Lock()

    def ask(self, port: int, secret: str, paths: list[str]) -> None:
        line = HTTPConnection(HOST, port, timeout=60)
        turn = 0
        while not self.stop.is_set():
            line.request("GET", paths[turn % len(paths)], None, {"authorization": secret})
            answer = line.getresponse()
            body = answer.read()
            with self._lock:
                self.statuses[answer.status] += 1
                if answer.status == 200:
                    self.versions[json.loads(body)["version"]] += 1
            turn += 1

    def wait_for(self, version: str) -> None:
        """Until an answer names this version, and none of those after names another."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            with self._lock:
                self.versions.clear()
            time.sleep(0.3)
            with self._lock:
                if set(self.versions) == {version}:
                    return
        raise AssertionError(f"{version} is not used; the last answers name {self.versions}")


@contextmanager
def loaded(shop: Shop, clients: int = 4) -> Iterator[Load]:
    with shop.store.write() as tx:
        key = create_key(tx, shop.clock.now(), "t", [Scope.RECOMMENDATIONS], actor="test")
    ids = [row.customer_id for row in shop.answers.customers(n=40).rows]
    paths = [f"/v1/recommendations/{each}?n=5" for each in ids]
    load = Load()
    with serve_shop(shop) as port:
        threads = [
            Thread(target=load.ask, args=(port, f"Bearer {key.secret}", paths[at::clients]))
            for at in range(clients)
        ]
        for thread in threads:
            thread.start()
        try:
            yield load
        finally:
            load.stop.set()
            for thread in threads:
                thread.join(60)


@pytest.fixture
def shop(demo_folder: Path, tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(demo_folder, tmp_path / "shop")
    environ = {"LINGXI_SERVER_REQUESTS_PER_MINUTE": "0"}
    shop = Shop.open(tmp_path / "shop", environ=environ)
    yield shop
    shop.close()


def switch(shop: Shop, load: Load, renew: Callable[[], None]) -> None:
    first = str(shop.store.artefacts.current_version(KIND))
    load.wait_for(first)
    renew()
    second = str(shop.store.artefacts.current_version(KIND))
    assert second > first
    load.wait_for(second)
    shop.store.artefacts.rollback(KIND)
    load.wait_for(first)
    shop.store.artefacts.activate(KIND, second)
    shop.store.artefacts.prune(KIND, 1)  # the files of the one that was in use go
    load.wait_for(second)


def test_a_version_is_changed_and_changed_back_under_load_without_an_error(shop: Shop) -> None:
    def copy() -> None:
        old = shop.store.artefacts.current(KIND)
        assert old is not None
        with shop.store.artefacts.write(KIND) as writer:
            for name in old.manifest.files:
                shutil.copyfile(old.path / name, writer.path / name)
            writer.manifest = old.manifest

    with loaded(shop) as load:
        switch(shop, load, copy)
    assert set(load.statuses) == {200}
    assert load.statuses[200] > 100


@pytest.mark.slow
def test_training_puts_a_new_model_in_use_under_load_without_an_error(shop: Shop) -> None:
    def train() -> None:
        command = [sys.executable, "-m", "lingxi.cli", "train", "--shop", shop.settings.folder]
        subprocess.run(command, check=True, capture_output=True)

    with loaded(shop) as load:
        switch(shop, load, train)
    assert set(load.statuses) == {200}
