"""What every client of Kafka shares: where the cluster is, who we are, what an error means."""

from collections.abc import Mapping
from types import ModuleType

import structlog

from lingxi.config import KafkaSettings
from lingxi.errors import InvalidSetting, MissingExtra

_SECURITY = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
Option = str | int | float | bool
ANSWER_SECONDS = 10.0
"""How long a broker may take for a question about the topic."""


def load_kafka() -> ModuleType:
    """The client library.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        import confluent_kafka
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "Kafka needs an optional part of Lingxi: pip install 'lingxi[kafka]'."
        ) from error
    return confluent_kafka


def make_options(settings: KafkaSettings, more: Mapping[str, Option]) -> dict[str, object]:
    """The client library's options for a cluster, with those of one kind of client.

    What a client has to say of its connections goes to the program's own log.

    Raises
    ------
    InvalidSetting
        If the settings cannot be used.
    """
    if not settings.brokers.strip() or not settings.topic.strip():
        raise InvalidSetting("Kafka needs brokers (HOST:PORT, several with commas) and a topic.")
    if settings.security not in _SECURITY:
        raise InvalidSetting(f"Kafka's security is one of {', '.join(_SECURITY)}.")
    found: dict[str, object] = {
        "bootstrap.servers": settings.brokers,
        "client.id": "lingxi",
        "security.protocol": settings.security,
        "logger": _Log(),
        "log_level": 4,
    }
    if settings.ca_file:
        found["ssl.ca.location"] = settings.ca_file
    if settings.security.startswith("sasl"):
        if settings.mechanism not in _MECHANISMS:
            raise InvalidSetting(f"Kafka's mechanism is one of {', '.join(_MECHANISMS)}.")
        found |= {
            "sasl.mechanism": settings.mechanism,
            "sasl.username": settings.username,
            "sasl.password": settings.password,
        }
    return {**found, **more}


class _Log:
    """Takes the library's own messages, in the form of a standard logger."""

    def log(self, _level: int, _template: str, *words: object) -> None:
        """Pass one on."""
        structlog.get_logger().warning("kafka", text=" ".join(str(word) for word in words)[:500])
