"""How events are taken in, and the topic of Kafka that may stand in front of the log."""

from dataclasses import dataclass, field
from pathlib import Path

from lingxi.errors import InvalidSetting


@dataclass(frozen=True)
class CollectSettings:
    """How events are taken in over HTTP."""

    queue: str = "log"
    """What an event is written to before it is answered 200: log, or kafka, from where ``lingxi
    drain`` brings it into the log; see [kafka]."""
    requests_per_second: int = 0
    """Limit for one source; 0 sets none: the bounded queue alone holds back who sends too much."""
    largest_batch_bytes: int = 512000
    """The most one request may carry, unpacked; a larger one is answered 400."""
    waiting_events: int = 20000
    """The most events that may wait for the disk; past it the answer is 429."""
    waiting_bytes: int = 67108864
    """The most bytes that may wait for the disk; past it the answer is 429."""
    commit_events: int = 1000
    """The most events that are committed together."""
    patience_seconds: float = 10.0
    """A request that waits longer for the disk is answered 503, and its client sends again."""
    beside_bytes: int = 16384
    """Batches of at least so many bytes are read and cleaned by a process of their own, which
    starts with the first of them, where the machine has a second core; 0: never."""


@dataclass(frozen=True)
class KafkaSettings:
    """A topic of Kafka: the one in front of the log, or with a [pull.NAME] of its own one that is
    pulled from."""

    brokers: str = ""
    """Where the cluster is found: HOST:PORT, several with commas."""
    topic: str = "lingxi-events"
    """The topic; it must exist."""
    group: str = "lingxi"
    """The consumer group under which other tools see how far the topic was read."""
    security: str = "plaintext"
    """plaintext, ssl, sasl_plaintext or sasl_ssl."""
    mechanism: str = "PLAIN"
    """How a user is known with sasl: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
    username: str = ""
    """The user, with sasl."""
    password: str = field(default="", repr=False)
    """Their password; best in the environment: LINGXI_KAFKA_PASSWORD."""
    ca_file: str = ""
    """Certificates that the brokers' is checked with; empty means those of this machine."""


def check_queue(collect: CollectSettings, kafka: KafkaSettings, path: Path) -> None:
    """Refuse what cannot be meant.

    Raises
    ------
    InvalidSetting
    """
    if collect.queue not in ("log", "kafka"):
        raise InvalidSetting(f"{path}: collect.queue must be 'log' or 'kafka'.")
    if collect.queue == "kafka" and not kafka.brokers:
        raise InvalidSetting(
            f"{path}: collect.queue is 'kafka', but kafka.brokers is empty; write HOST:PORT."
        )
