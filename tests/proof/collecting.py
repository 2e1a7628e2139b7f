"""A collector under load that is killed at any moment, and what must hold of its shop then."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Lock, Thread

import sqlalchemy as sa

from lingxi.access.sources import SourceKind, create_source
from lingxi.app.rooms import PROJECTIONS
from lingxi.app.shop import Shop, init_shop
from lingxi.ingest.tables import source_count
from lingxi.store.tables import event, identity

HOST = "127.0.0.1"
_START_SECONDS = 60
_ANSWER_SECONDS = 15


@dataclass(frozen=True)
class Collector:
    """A shop, and where its server is to listen."""

    folder: Path
    key: str
    port: int

    @classmethod
    def make(cls, folder: Path) -> "Collector":
        shop = init_shop(folder, name="Shop", currency="GBP", timezone="UTC", language="en")
        with shop.store.write() as tx:
            made = create_source(
                tx, shop.store.keyring, shop.clock.now(), "web1", SourceKind.WEB, actor="test"
            )
        shop.close()
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        return cls(folder, made.write_key, port)

    def start(self) -> "subprocess.Popen[bytes]":
        """A server in a process group of its own; it may not listen yet."""
        code = (
            "from pathlib import Path; from lingxi.server.serve import serve; "
            f"serve(Path({str(self.folder)!r}), host={HOST!r}, port={self.port})"
        )
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", code], stdout=log, stderr=log, start_new_session=True
            )

    def post(self, connection: HTTPConnection, messages: list[dict[str, object]]) -> int:
        """The status that a batch got."""
        headers = {
            "Authorization": "Basic " + b64encode(f"{self.key}:".encode()).decode(),
            "Content-Type": "application/json",
        }
        connection.request("POST", "/v1/batch", json.dumps({"batch": messages}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def wait(self) -> float:
        """Seconds until a batch is answered 200."""
        begin = time.monotonic()
        while time.monotonic() < begin + _START_SECONDS:
            connection = HTTPConnection(HOST, self.port, timeout=_ANSWER_SECONDS)
            try:
                if self.post(connection, []) == 200:
                    return time.monotonic() - begin
            except (OSError, HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()
        raise AssertionError((self.folder / "server.log").read_text()[-2000:])


@contextmanager
def running(collector: Collector) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that answers, until the block ends."""
    child = collector.start()
    try:
        collector.wait()
        yield child
    finally:
        kill(child)


def kill(child: "subprocess.Popen[bytes]") -> None:
    """kill -9 of the server and its worker at once."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    child.wait()


@dataclass
class Clients:
    """Clients that send batches, and send again what got no answer, as the real ones do."""

    collector: Collector
    acknowledged: set[str] = field(default_factory=set)
    repeated: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _stop: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def start(self, n: int, seed: int) -> None:
        self._threads = [Thread(target=self._send, args=(seed * 100 + i,)) for i in range(n)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Every batch that was begun is answered first."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, seed: int) -> None:
        rng = random.Random(seed)
        connection = HTTPConnection(HOST, self.collector.port, timeout=_ANSWER_SECONDS)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            size = rng.randint(1, 40)
            batch = [make_message(rng, f"{seed}-{turn}-{i}") for i in range(size)]
            attempts = 0
            while True:
                attempts += 1
                try:
                    status = self.collector.post(connection, batch)
                except (OSError, HTTPException):
                    connection.close()
                    status = 0
                with self._lock:
                    self.statuses[status] = self.statuses.get(status, 0) + 1
                    if status == 200:
                        self.acknowledged.update(str(each["messageId"]) for each in batch)
                        self.repeated += attempts > 1
                if status == 200:
                    break
                time.sleep(0.02)
        connection.close()


def make_message(rng: random.Random, name: str) -> dict[str, object]:
    """A view, a cart, an order or a login of one of a few customers."""
    who = rng.randrange(200)
    message: dict[str, object] = {
        "type": "track",
        "messageId": name,
        "anonymousId": f"browser-{who}",
        "timestamp": "2026-01-01T00:00:00Z",
    }
    product = {"product_id": f"p{rng.randrange(50)}", "price": 9.5, "quantity": 1}
    kind = rng.random()
    if kind < 0.05:
        return {**message, "type": "identify", "userId": f"user-{who}", "traits": {"plan": "a"}}
    if kind < 0.15:
        order = {"order_id": f"o-{name}", "total": 19.0, "products": [product, product]}
        return {**message, "event": "Order Completed", "userId": f"user-{who}", "properties": order}
    name = "Product Viewed" if kind < 0.7 else "Product Added"
    return {**message, "event": name, "properties": product}


def check(collector: Collector, acknowledged: set[str]) -> int:
    """Everything acknowledged is there, once, and nothing is there by half. Events in the log.

    A half-written message would show between the log and what is derived from it in the same
    transaction: the projections, which are folded anew here, and the counts.
    """
    shop = Shop.open(collector.folder)
    try:
        with shop.store.read() as tx:
            ids = tx.execute(sa.select(event.c.event_id)).scalars().all()
            positions = tx.execute(sa.select(event.c.position)).scalars().all()
            counted = source_count.c.n, source_count.c.outcome == "stored"
            stored = tx.execute(sa.select(sa.func.sum(counted[0])).where(counted[1])).scalar()
        sent = [each.removeprefix("web:") for each in ids if each.startswith("web:")]
        missing = acknowledged - set(sent)
        assert not missing, f"{len(missing)} acknowledged messages are lost: {sorted(missing)[:5]}"
        assert len(sent) == len(set(sent))
        plain = [each for each in sent if "#" not in each]
        assert len(plain) == stored, "the counts tell of other events than the log"
        assert sorted(positions) == list(range(1, len(positions) + 1))
        before = read_projections(shop)
        with shop.store.write() as tx:
            everybody = set(tx.execute(sa.select(identity.c.customer)).scalars())
            shop.store.rebuild(PROJECTIONS, everybody, tx)
        assert read_projections(shop) == before
        assert shop.store.engine is not None
        with shop.store.read() as tx:
            assert tx.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        return len(ids)
    finally:
        shop.close()


def read_projections(shop: Shop) -> dict[str, list[tuple[object, ...]]]:
    """The rows of every projection, in order."""
    found = {}
    with shop.store.read() as tx:
        for projection in PROJECTIONS:
            keys = list(projection.table.primary_key.columns)
            rows = tx.execute(sa.select(projection.table).order_by(*keys)).all()
            found[projection.name] = [tuple(row) for row in rows]
    return found
