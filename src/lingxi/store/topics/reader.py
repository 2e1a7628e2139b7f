"""Reading a topic page by page from offsets that the caller keeps, all partitions in one order."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from lingxi.config import KafkaSettings
from lingxi.errors import SourceUnavailable
from lingxi.store.topics.client import ANSWER_SECONDS, Option, load_kafka, make_options
from lingxi.store.topics.record import Record, to_record

if TYPE_CHECKING:
    from confluent_kafka import Message

_WAIT_SECONDS = 0.2
_AHEAD = 40
"""A partition is not read further while so many pages of it wait for another one."""


class Part(msgspec.Struct, frozen=True):
    """Some records, where to go on in each partition, and how many are known to wait there."""

    records: Sequence[Record]
    offsets: Mapping[int, int]
    behind: int


class TopicReader:
    """A consumer without a group's help: who asks says where to read.

    Records of all partitions come in the order of their time (a partition's own order kept), so
    that the same offsets give the same records as long as the topic does not change.

    Raises
    ------
    MissingExtra, InvalidSetting
        If there is no client library, or the settings cannot be used.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._kafka = load_kafka()
        self._topic = settings.topic
        self._brokers = settings.brokers
        options: dict[str, Option] = {
            "group.id": settings.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            # a question about the ends stands behind a fetch that waits for something new
            "fetch.wait.max.ms": 20,
        }
        self._consumer = self._kafka.Consumer(make_options(settings, options))
        self._kept: dict[int, deque[Record]] = {}
        self._next: dict[int, int] = {}
        self._paused: set[int] = set()

    def read(self, offsets: Mapping[int, int], n: int) -> Part:
        """At most ``n`` records from these offsets on; partitions not named from their beginning.

        Raises
        ------
        SourceUnavailable
            If the cluster does not answer, or has no such topic.
        """
        try:
            ends = self._find_ends()
            # before the first: retention took it; past the end: the topic was made anew
            start = {
                each: at if low <= (at := offsets.get(each, low)) <= high else low
                for each, (low, high) in ends.items()
            }
            highs = {each: high for each, (_, high) in ends.items()}
            self._place(start)
            self._fetch(highs, n)
        except self._kafka.KafkaException as error:
            raise self._explain(error.args[0].str()) from error
        records = self._merge(n)
        after = {p: kept[0].offset if kept else self._next[p] for p, kept in self._kept.items()}
        return Part(records, after, sum(max(0, highs[p] - at) for p, at in after.items()))

    def note(self, offsets: Mapping[int, int]) -> None:
        """Tell the cluster how far the group is, for those who watch it from outside."""
        part = self._kafka.TopicPartition
        marks = [part(self._topic, each, at) for each, at in offsets.items()]
        if marks:
            self._consumer.commit(offsets=marks, asynchronous=True)

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def _find_ends(self) -> dict[int, tuple[int, int]]:
        """The first and the next offset of each partition."""
        found = self._consumer.list_topics(self._topic, timeout=ANSWER_SECONDS)
        topic = found.topics[self._topic]
        if topic.error is not None or not topic.partitions:
            raise self._explain(f"the topic {self._topic!r} does not exist there")
        part = self._kafka.TopicPartition
        return {
            each: self._consumer.get_watermark_offsets(
                part(self._topic, each), timeout=ANSWER_SECONDS
            )
            for each in sorted(topic.partitions)
        }

    def _place(self, start: Mapping[int, int]) -> None:
        """Stand at these offsets; what was read ahead from there is still good."""
        here = {p: kept[0].offset if kept else self._next[p] for p, kept in self._kept.items()}
        if here == dict(start):
            return
        part = self._kafka.TopicPartition
        self._kept = {each: deque() for each in start}
        self._next = dict(start)
        self._paused.clear()
        self._consumer.assign([part(self._topic, each, at) for each, at in start.items()])

    def _fetch(self, highs: Mapping[int, int], n: int) -> None:
        """Read on until each partition has a page, or is at its end."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while short := [p for p in highs if len(self._kept[p]) < n and self._next[p] < highs[p]]:
            self._hold_back(n)
            first = self._consumer.poll(_WAIT_SECONDS)
            messages = [] if first is None else [first, *self._consumer.consume(n, timeout=0)]
            for message in messages:
                error = message.error()
                if error is None:
                    self._keep(message)
                elif error.code() == self._kafka.KafkaError._PARTITION_EOF:
                    self._next[message.partition()] = message.offset()
                elif not error.retriable():
                    raise self._explain(error.str())
            if messages:
                deadline = time.monotonic() + ANSWER_SECONDS
            elif time.monotonic() > deadline:
                raise self._explain(f"partition {short[0]} gives nothing")

    def _keep(self, message: "Message") -> None:
        record = to_record(message)
        self._next[record.partition] = record.offset + 1
        self._kept[record.partition].append(record)

    def _hold_back(self, n: int) -> None:
        limits = {
            each: _AHEAD * n // 2 if each in self._paused else _AHEAD * n for each in self._kept
        }
        full = {each for each, kept in self._kept.items() if len(kept) >= limits[each]}
        part = self._kafka.TopicPartition
        if more := full - self._paused:
            self._consumer.pause([part(self._topic, each) for each in sorted(more)])
        if less := self._paused - full:
            self._consumer.resume([part(self._topic, each) for each in sorted(less)])
        self._paused = full

    def _merge(self, n: int) -> list[Record]:
        """The first ``n`` of what was read, by time and then by partition."""
        records: list[Record] = []
        while len(records) < n:
            heads = [(kept[0].written_ms, p) for p, kept in self._kept.items() if kept]
            if not heads:
                break
            records.append(self._kept[min(heads)[1]].popleft())
        return records

    def _explain(self, reason: str) -> SourceUnavailable:
        return SourceUnavailable(f"Kafka at {self._brokers} cannot be read: {reason}.")
