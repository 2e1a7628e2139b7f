"""What a cluster says of a topic: how far it was written, and how safely."""

from collections.abc import Mapping

import msgspec

from lingxi.config import KafkaSettings
from lingxi.errors import SourceUnavailable
from lingxi.store.topics.client import load_kafka, make_options


class TopicState(msgspec.Struct, frozen=True):
    """First and next offset of each partition, and the fewest replicas that one has, in step."""

    ends: Mapping[int, tuple[int, int]]
    replicas: int
    in_step: int

    def count_behind(self, read: Mapping[int, int]) -> int:
        """Records that wait past these offsets.

        >>> TopicState({0: (0, 9), 1: (4, 6)}, 3, 3).count_behind({0: 7})
        4
        """
        return sum(max(0, high - max(low, read.get(p, 0))) for p, (low, high) in self.ends.items())


def describe_topic(settings: KafkaSettings, *, seconds: float) -> TopicState:
    """Ask the cluster about a topic, for so long at most.

    Raises
    ------
    SourceUnavailable
        If it does not answer, or has no such topic.
    MissingExtra, InvalidSetting
        If there is no client library, or the settings cannot be used.
    """
    kafka = load_kafka()
    consumer = kafka.Consumer(make_options(settings, {"group.id": settings.group}))
    try:
        topic = consumer.list_topics(settings.topic, timeout=seconds).topics[settings.topic]
        if topic.error is not None or not topic.partitions:
            raise SourceUnavailable(
                f"There is no topic {settings.topic!r} at {settings.brokers}; make it first."
            )
        parts = topic.partitions.values()
        ends = {
            part.id: consumer.get_watermark_offsets(
                kafka.TopicPartition(settings.topic, part.id), timeout=seconds
            )
            for part in parts
        }
    except kafka.KafkaException as error:
        raise SourceUnavailable(
            f"Kafka at {settings.brokers} does not answer: {error.args[0].str()}."
        ) from error
    finally:
        consumer.close()
    return TopicState(
        ends,
        min(len(part.replicas) for part in parts),
        min(len(part.isrs) for part in parts),
    )
