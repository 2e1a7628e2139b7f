"""Reading a topic together: each process of a group has partitions of its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lingxi.config import KafkaSettings
from lingxi.errors import SourceUnavailable
from lingxi.store.topics.client import load_kafka, make_options
from lingxi.store.topics.offsets import Moved
from lingxi.store.topics.record import Record, to_record

if TYPE_CHECKING:
    from confluent_kafka import Consumer, TopicPartition

FindOffsets = Callable[[], Mapping[int, int]]
_GATHER_SECONDS = 0.02
"""How long more records are waited for once there is one."""
_SESSION_MS = 6_000
"""A process that was killed loses its partitions to the others after so long."""


class TopicGroup:
    """A member of a consumer group. Where to read stands in the shop's database, not in Kafka.

    Parameters
    ----------
    find_offsets
        Where the database says to go on, by partition; asked whenever partitions are given out.

    Raises
    ------
    MissingExtra, InvalidSetting
        If there is no client library, or the settings cannot be used.
    """

    def __init__(self, settings: KafkaSettings, find_offsets: FindOffsets) -> None:
        self._kafka = load_kafka()
        self._topic = settings.topic
        self._brokers = settings.brokers
        self._find = find_offsets
        self._before: dict[int, int | None]
        self._turn = 0
        self._options = make_options(
            settings,
            {
                "group.id": settings.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "session.timeout.ms": _SESSION_MS,
                "heartbeat.interval.ms": _SESSION_MS // 5,
                "enable.partition.eof": False,
            },
        )
        self._consumer = self._join()

    def _join(self) -> "Consumer":
        self._before = {}
        self._turn += 1
        consumer: Consumer = self._kafka.Consumer(self._options)
        consumer.subscribe([self._topic], on_assign=self._begin, on_revoke=self._end)
        return consumer

    def read(self, n: int, seconds: float) -> list[Record]:
        """At most ``n`` records of our partitions; waits so long for the first.

        Raises
        ------
        SourceUnavailable
            If there is no such topic, or we may not read it.
        """
        turn = self._turn
        found, refused = [], ""
        first = self._consumer.poll(seconds)
        rest = (
            []
            if first is None or n == 1
            else self._consumer.consume(n - 1, timeout=_GATHER_SECONDS)
        )
        for message in [] if first is None else [first, *rest]:
            error = message.error()
            if error is None:
                found.append(to_record(message))
            elif not error.retriable():
                refused = error.str()
        if turn != self._turn:  # given out anew meanwhile: what came may be from before
            self._consumer.assign(self._list_marks())
            return []
        if refused and not found:
            raise SourceUnavailable(f"Kafka at {self._brokers} cannot be read: {refused}.")
        return [each for each in found if each.offset >= (self._before[each.partition] or 0)]

    def plan_moves(self, records: Sequence[Record]) -> list[Moved]:
        """How the offsets move once these records, the next in each partition, are kept."""
        ends = {each.partition: each.offset + 1 for each in records}
        return [
            Moved(each, self._before[each], after, self._count_behind(each, after))
            for each, after in ends.items()
        ]

    def moved(self, moves: Sequence[Moved]) -> None:
        """These moves are on disk; the cluster is told, for those who watch it from outside."""
        marks = []
        for each in moves:
            if each.partition in self._before:
                self._before[each.partition] = each.after
                marks.append(self._mark(each.partition, each.after))
        if marks:
            self._consumer.commit(offsets=marks, asynchronous=True)

    def rewind(self) -> None:
        """Go back to where the database says: what was read since was not kept.

        The group is joined anew. A consumer that only seeks may still hold records from before,
        and one that is taken for the next would leave a gap.
        """
        self._consumer.close()
        self._consumer = self._join()

    @property
    def partitions(self) -> Sequence[int]:
        """Those that are ours now."""
        return sorted(self._before)

    def is_at_end(self, deadline: float) -> bool:
        """Whether nothing waits in our partitions; asks the cluster until then (monotonic)."""
        for partition, before in self._before.items():
            left = max(0.1, deadline - time.monotonic())
            low, high = self._consumer.get_watermark_offsets(self._mark(partition, 0), timeout=left)
            if max(low, before or 0) < high:
                return False
        return bool(self._before)

    def close(self) -> None:
        """Leave the group at once."""
        self._consumer.close()

    def _begin(self, consumer: "Consumer", parts: "list[TopicPartition]") -> None:
        known = self._find()
        self._before = {each.partition: known.get(each.partition) for each in parts}
        self._turn += 1
        consumer.assign(self._list_marks())

    def _end(self, _consumer: "Consumer", _parts: "list[TopicPartition]") -> None:
        self._before = {}
        self._turn += 1

    def _list_marks(self) -> "list[TopicPartition]":
        return [self._mark(each, before) for each, before in self._before.items()]

    def _mark(self, partition: int, offset: int | None) -> "TopicPartition":
        beginning = self._kafka.OFFSET_BEGINNING
        mark: TopicPartition = self._kafka.TopicPartition(
            self._topic, partition, beginning if offset is None else offset
        )
        return mark

    def _count_behind(self, partition: int, after: int) -> int:
        _, high = self._consumer.get_watermark_offsets(self._mark(partition, 0), cached=True)
        return max(0, high - after)
