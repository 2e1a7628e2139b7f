"""Writing to a topic: each record acknowledged by all replicas that are in step, or an error."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lingxi.config import KafkaSettings
from lingxi.errors import StoreBusy
from lingxi.store.topics.client import load_kafka, make_options

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

Written = Callable[[str | None], None]
"""Called once for a record: with nothing, or with why it was not written."""
_LINGER_MS = 3


class TopicWriter:
    """A producer that never writes a record twice of its own accord (idempotent, ``acks=all``).

    ``send`` and ``poll`` may be called from different threads; what was written is told by
    ``poll`` alone, in its thread.

    Parameters
    ----------
    timeout_seconds
        A record that is not acknowledged by then is reported as not written. It may yet have
        been: whoever sends it again must be recognised by its id.
    most_records, most_bytes
        What may wait in memory.

    Raises
    ------
    MissingExtra, InvalidSetting
        If there is no client library, or the settings cannot be used.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        timeout_seconds: float,
        most_records: int,
        most_bytes: int,
    ) -> None:
        self._kafka = load_kafka()
        self._topic = settings.topic
        timeout_ms = max(1_000, round(timeout_seconds * 1000))
        self._options = make_options(
            settings,
            {
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": _LINGER_MS,
                "message.timeout.ms": timeout_ms,
                "request.timeout.ms": timeout_ms,
                "queue.buffering.max.messages": most_records,
                "queue.buffering.max.kbytes": max(1, most_bytes // 1024),
                "partitioner": "murmur2_random",
            },
        )
        self._producer = self._kafka.Producer(self._options)
        self._broken = False

    def send(self, key: bytes | None, value: bytes, written: Written) -> None:
        """Put one record on its way; those of one key stay in order.

        Raises
        ------
        StoreBusy
            If too many are on their way already.
        """
        if self._broken:
            self._renew()
        try:
            self._producer.produce(
                self._topic, value=value, key=key, on_delivery=partial(self._tell, written)
            )
        except BufferError as error:
            raise StoreBusy("Kafka takes events more slowly than they come.") from error
        except self._kafka.KafkaException as error:
            raise StoreBusy(f"Kafka did not take an event: {error.args[0].str()}.") from error

    def poll(self, seconds: float) -> None:
        """Tell what was written meanwhile; wait for the first so long."""
        self._producer.poll(seconds)

    def close(self, seconds: float) -> None:
        """Wait so long for what is on its way, and stop."""
        self._producer.flush(seconds)

    def _tell(self, written: Written, error: "KafkaError | None", _record: "Message") -> None:
        if error is None:
            written(None)
            return
        # an idempotent producer that lost its place never writes again
        self._broken = (
            self._broken or error.fatal() or error.code() == self._kafka.KafkaError._FATAL
        )
        written(error.str())

    def _renew(self) -> None:
        old, self._producer = self._producer, self._kafka.Producer(self._options)
        self._broken = False
        old.purge()
        old.flush(1.0)  # tells of what it still held
