"""Draining: each record once into the log, whatever happens to the one who drains.

The brokers are librdkafka's own mock of them: the group, its offsets and the client are real, the
copying from broker to broker is not.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kafka_cluster import Cluster, run_cluster
from lingxi.app.shop import Shop, init_shop
from lingxi.errors import StoreUnavailable
from lingxi.ingest.cleaning import Rules
from lingxi.ingest.draining import Drainer, Sealer
from lingxi.ingest.draining.envelope import FOREIGN
from lingxi.ingest.message import Message
from lingxi.ingest.waiting import list_waiting
from lingxi.store.topics import find_offsets

CHILD = Path(__file__).with_name("drain_child.py")
_SECONDS = 120


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with run_cluster() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, cluster: Cluster) -> Iterator[Shop]:
    folder = tmp_path / "shop"
    init_shop(folder, name="S", currency="GBP", timezone="UTC", language="en").close()
    topic = cluster.make_topic(f"events-{tmp_path.name}")
    with (folder / "lingxi.toml").open("a") as config:
        config.write('\n[collect]\nqueue = "kafka"\ncommit_events = 20\n')
        config.write(f'[kafka]\nbrokers = "{cluster.address}"\ntopic = "{topic}"\n')
        config.write(f'group = "{topic}"\n')
    opened = Shop.open(folder, environ={})
    yield opened
    opened.close()


def seal(shop: Shop, first: int, n: int) -> list[bytes]:
    """Views; every seventh names no id, and would count twice if it came twice."""
    begin = datetime.now(UTC)
    messages = []
    for number in range(first, first + n):
        body: dict[str, object] = {
            "type": "track",
            "event": "Product Viewed",
            "userId": f"u{number % 5}",
            "properties": {"product_id": f"A{number}"},
        }
        if number % 7:
            body["messageId"] = f"m{number}"
        moment = begin + timedelta(seconds=number)
        messages.append(Message(body=body, raw=b"{}", received_at=moment, source="web"))
    return [
        value for _, value in Sealer(shop.store.keyring, Rules.of(shop.settings)).seal(messages)
    ]


def items(shop: Shop) -> list[str]:
    """The items that were looked at, as the log has them."""
    events = shop.store.log.read(limit=100_000, names=["Product Viewed"])
    return sorted(str(each.lines[0].item_id) for each in events)


def wanted(n: int) -> list[str]:
    return sorted(f"A{number}" for number in range(n))


@pytest.mark.slow
def test_what_the_database_refuses_is_drained_again_from_where_it_stood(
    shop: Shop, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what is foreign among the records, and what was sent twice."""
    topic = shop.settings.kafka.topic
    values = seal(shop, 0, 90)
    cluster.write(topic, [*values, b"not ours", *values[1:3]])
    drainer = Drainer(shop.store, shop.intake, shop.clock, shop.settings.kafka, n=20)
    take, calls = shop.intake.take, 0

    def failing(*args, **words):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise StoreUnavailable("the disk is full")
        return take(*args, **words)

    monkeypatch.setattr(shop.intake, "take", failing)
    end = time.monotonic() + _SECONDS
    while len(items(shop)) < 90 or not drainer.is_at_end():
        drainer.step()
        assert time.monotonic() < end
    drainer.close()
    assert calls > 5
    assert items(shop) == wanted(90)
    assert [each.source for each in list_waiting(shop.store)] == [FOREIGN]
    with shop.store.read() as tx:
        assert sum(find_offsets(tx, topic).values()) == 93
    lags = {each.name: each for each in shop.answers.status().lags}
    assert (lags["kafka"].behind, lags["kafka"].position) == (0, 93)
    cluster.write(topic, seal(shop, 90, 4))
    lags = {each.name: each for each in shop.answers.status().lags}
    assert lags["kafka"].behind == 4


@pytest.mark.slow
def test_killed_before_and_after_the_commit_it_loses_and_doubles_nothing(
    shop: Shop, cluster: Cluster
) -> None:
    topic = shop.settings.kafka.topic
    for number in range(0, 300, 50):
        cluster.write(topic, seal(shop, number, 50))
    for moment, number in (("written", 2), ("committed", 2)):
        command = [sys.executable, str(CHILD), str(shop.settings.folder), moment, str(number)]
        assert subprocess.run(command, timeout=_SECONDS, check=False).returncode == -9
    assert 0 < len(items(shop)) < 300
    child = subprocess.Popen([sys.executable, str(CHILD), str(shop.settings.folder), "never", "1"])
    try:
        end = time.monotonic() + _SECONDS
        while len(items(shop)) < 300 and time.monotonic() < end:
            time.sleep(0.1)
        child.kill()  # between two steps: nothing comes of it
    finally:
        child.kill()
        child.wait()
    assert items(shop) == wanted(300)
    with shop.store.read() as tx:
        assert sum(find_offsets(tx, topic).values()) == 300
