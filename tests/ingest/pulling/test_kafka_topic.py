"""A topic of Kafka that is pulled from keeps the contract of sources."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING

import pytest

from kafka_cluster import Cluster, run_cluster
from lingxi.errors import InvalidSetting, SourceUnavailable
from lingxi.ingest.intake import Intake
from lingxi.ingest.pulling import make_source, pull_source
from lingxi.ingest.pulling.kafka_topic import KafkaTopic
from lingxi.ingest.pulling.state import find_pull
from lingxi.ingest.waiting import list_waiting
from lingxi.store.topics import reader
from lingxi.testing import SourceContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Bench

NAMES = count()


def message(number: int) -> bytes:
    said = {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"k{number}",
        "userId": f"u{number % 3}",
        "timestamp": "2026-01-01T10:00:00Z",
        "properties": {"product_id": f"A{number}"},
    }
    return json.dumps(said).encode()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with run_cluster() as running:
        yield running


@pytest.fixture
def topic(cluster: Cluster) -> str:
    return cluster.make_topic(f"clicks-{next(NAMES)}")


class TestKafkaTopic(SourceContract):
    @pytest.fixture(autouse=True)
    def _fill(self, cluster: Cluster, topic: str) -> None:
        self.cluster, self.topic, self.number = cluster, topic, 8
        cluster.write(topic, [message(n) for n in range(8)])

    def make(self) -> KafkaTopic:
        return KafkaTopic(self.cluster.address, self.topic)

    def add(self) -> None:
        self.cluster.write(self.topic, [message(self.number)])
        self.number += 1

    def test_the_order_is_that_of_time_over_all_partitions(self) -> None:
        assert self.walk(3)[0] == [message(n) for n in range(8)]

    def test_it_says_how_many_messages_wait(self) -> None:
        source = self.make()
        first = source.pull("", 3)
        assert (first.behind, first.more) == (5, True)
        rest = source.pull(first.cursor, 100)
        assert (rest.behind, rest.more) == (0, False)
        source.close()

    def test_a_cursor_past_the_end_is_of_a_topic_that_was_made_anew(self) -> None:
        assert self.walk(100, "0:900,1:900,2:900")[0] == self.walk(100)[0]


def test_one_partition_that_is_far_longer_does_not_fill_the_memory(
    cluster: Cluster, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_AHEAD", 12)
    cluster.write(topic, [message(n) for n in range(300)], partition=0)
    cluster.write(topic, [message(n) for n in range(300, 310)], partition=2)
    source = KafkaTopic(cluster.address, topic)
    cursor, found = "", list[bytes]()
    more = True
    while more:
        page = source.pull(cursor, 7)
        found += page.messages
        cursor, more = page.cursor, page.more
        kept = source._reader._kept[0]
        assert len(kept) <= reader._AHEAD * 7 + 7
    assert found == [message(n) for n in range(310)]
    source.close()


def test_what_was_pulled_and_what_waits_stand_in_the_database(
    cluster: Cluster, topic: str, bench: Bench
) -> None:
    cluster.write(topic, [message(0), b"no json", message(1), message(0)])
    intake = Intake(bench.store, bench.settings, bench.clock)
    source = make_source("kafka", {"brokers": cluster.address, "topic": topic})
    done = pull_source(bench.store, intake, bench.clock, "clicks", source, n=2)
    source.close()
    assert (done.stored, done.duplicates, done.dropped) == (2, 1, 1)
    with bench.store.read() as tx:
        row = find_pull(tx, "clicks")
    assert row is not None
    assert (row.messages, row.behind, row.cursor) == (4, 0, done.cursor)
    assert [each.message.raw for each in list_waiting(bench.store)] == [b"no json"]
    intake.close()


def test_a_topic_or_cluster_that_is_not_there_is_told(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "ANSWER_SECONDS", 0.3)
    source = make_source("kafka", {"brokers": "127.0.0.1:1", "topic": "clicks"})
    with pytest.raises(SourceUnavailable, match=r"127.0.0.1:1 cannot be read"):
        source.pull("", 5)
    source.close()
    with pytest.raises(SourceUnavailable, match="no cursor"):
        KafkaTopic(cluster.address, "x").pull("0:1,x", 5)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"brokers": "h:1"}, "topic"),
        ({"brokers": "h:1", "topic": "t", "security": "none"}, "one of plaintext"),
        ({"brokers": "h:1", "topic": "t", "security": "sasl_ssl", "mechanism": "X"}, "SCRAM"),
        ({"brokers": " ", "topic": "t"}, "HOST:PORT"),
    ],
)
def test_options_that_cannot_be_used_are_told(options: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidSetting, match=told):
        make_source("kafka", options)
