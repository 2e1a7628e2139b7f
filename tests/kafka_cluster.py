"""Three brokers of Kafka in this process: librdkafka's own, for its own tests.

They speak the protocol over TCP to any client, of other processes too: groups, offsets, idempotent
producers. They keep everything in memory and copy nothing from broker to broker.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer


class Cluster:
    """Its address, and a writer that is none of ours."""

    partitions = 4
    """Of each topic, as these brokers make them."""

    def __init__(self) -> None:
        self._brokers = Producer(
            {
                "test.mock.num.brokers": 3,
                "bootstrap.servers": "nowhere",
                "log_level": 0,
            }
        )
        found = self._brokers.list_topics(timeout=10).brokers.values()
        self.address = ",".join(f"{each.host}:{each.port}" for each in found)
        quiet = {"bootstrap.servers": self.address, "log_level": 0}
        self._producer = Producer({**quiet, "linger.ms": 0})
        self._written = 0

    def make_topic(self, name: str) -> str:
        """These brokers make what is asked for."""
        self._producer.list_topics(name, timeout=10)
        return name

    def write(self, topic: str, values: Sequence[bytes], partition: int = -1) -> None:
        """A second later for each record."""
        for value in values:
            self._written += 1
            place = self._written % self.partitions if partition < 0 else partition
            stamp = 1_700_000_000_000 + 1000 * self._written
            self._producer.produce(topic, value=value, partition=place, timestamp=stamp)
        assert self._producer.flush(10) == 0


@contextmanager
def run_cluster() -> Iterator[Cluster]:
    """The brokers, for as long as the block runs."""
    cluster = Cluster()
    yield cluster
    del cluster


@contextmanager
def run_apart() -> Iterator["Apart"]:
    """The brokers in a process of their own, which can be made to stand still."""
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield Apart(child, child.stdout.readline().decode().strip())
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


@dataclass(frozen=True)
class Apart:
    """Brokers in another process."""

    child: "subprocess.Popen[bytes]"
    address: str

    def stand_still(self) -> None:
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.child.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    running = Cluster()
    print(running.address, flush=True)
    sys.stdin.read()  # until whoever started us is gone
