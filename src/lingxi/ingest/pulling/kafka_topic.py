"""A topic of Kafka to which some other system writes messages."""

from collections.abc import Mapping

from lingxi.config import KafkaSettings
from lingxi.errors import SourceUnavailable
from lingxi.ingest.pulling.source import Page
from lingxi.store.topics import TopicReader

_LARGEST_PARTITIONS = 250


class KafkaTopic:
    """Messages of all partitions of a topic, by the time at which they were written.

    The cursor holds the next offset of each partition. It is what counts; the consumer group in
    Kafka is told of it once it stands in the shop's database, for those who watch the group.

    Parameters
    ----------
    brokers
        HOST:PORT, several with commas.
    topic, group, security, mechanism, username, password, ca_file
        As in ``[kafka]`` of the settings.
    """

    def __init__(
        self,
        brokers: str,
        topic: str,
        group: str = "lingxi-pull",
        security: str = "plaintext",
        mechanism: str = "PLAIN",
        username: str = "",
        password: str = "",
        ca_file: str = "",
    ) -> None:
        self._reader = TopicReader(
            KafkaSettings(brokers, topic, group, security, mechanism, username, password, ca_file)
        )

    def pull(self, cursor: str, n: int, /) -> Page:
        """At most ``n`` records past the cursor."""
        before = _read_cursor(cursor)
        self._reader.note(before)
        part = self._reader.read(before, n)
        if len(part.offsets) > _LARGEST_PARTITIONS:
            raise SourceUnavailable(f"A topic may have at most {_LARGEST_PARTITIONS} partitions.")
        after = _write_cursor(part.offsets)
        if not part.records and not any(part.offsets.values()):
            after = cursor  # nothing was ever written: stay before the first
        return Page(
            tuple(each.value for each in part.records),
            after,
            more=part.behind > 0 and after != cursor,
            behind=part.behind,
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._reader.close()


def _read_cursor(cursor: str) -> dict[int, int]:
    """The offsets of a cursor.

    >>> _read_cursor("0:12,3:7")
    {0: 12, 3: 7}
    """
    try:
        pairs = [each.split(":") for each in cursor.split(",")] if cursor else []
        return {int(partition): int(offset) for partition, offset in pairs}
    except ValueError as error:
        raise SourceUnavailable(f"{cursor[:80]!r} is no cursor of a topic.") from error


def _write_cursor(offsets: Mapping[int, int]) -> str:
    return ",".join(f"{partition}:{offset}" for partition, offset in sorted(offsets.items()))
