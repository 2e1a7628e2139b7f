"""The way over Kafka: messages sealed for the topic in front of the log, and drained into it."""

from lingxi.ingest.draining.drain import Drained, Drainer
from lingxi.ingest.draining.envelope import Sealer, open_records

__all__ = ["Drained", "Drainer", "Sealer", "open_records"]
