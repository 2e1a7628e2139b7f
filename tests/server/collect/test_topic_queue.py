"""The way over Kafka: answered once all replicas have it, refused when they do not."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

import pytest

from lingxi.config import CollectSettings
from lingxi.errors import RateLimited, StoreBusy, StoreUnavailable
from lingxi.ingest.message import Message
from lingxi.server.collect.counts import Counts
from lingxi.server.collect.topic_queue import TopicQueue

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make(*names: str) -> list[Message]:
    return [Message(body={"n": n}, raw=n.encode(), received_at=NOW, source="web") for n in names]


class PlainSealer:
    """Seals nothing."""

    error: Exception | None = None

    def seal(self, messages: Sequence[Message]) -> list[tuple[bytes | None, bytes]]:
        if self.error is not None:
            raise self.error
        return [(None, each.raw) for each in messages]


class Broker:
    """Acknowledges what the test lets it, in the thread that polls."""

    def __init__(self, most: int = 1_000) -> None:
        self.written: list[bytes] = []
        self.holding, self.most = False, most
        self.refuse: frozenset[bytes] = frozenset()
        self._told: SimpleQueue[tuple[Callable[[str | None], None], str | None]] = SimpleQueue()
        self.held: list[tuple[Callable[[str | None], None], str | None]] = []
        self.closed = False

    def send(self, _key: bytes | None, value: bytes, written: Callable[[str | None], None]) -> None:
        if len(self.written) >= self.most:
            raise StoreBusy("full")
        self.written.append(value)
        answer = (written, "no leader" if value in self.refuse else None)
        if self.holding:
            self.held.append(answer)
        else:
            self._told.put(answer)

    def let_go(self) -> None:
        self.holding = False
        for each in self.held:
            self._told.put(each)
        self.held = []

    def poll(self, seconds: float) -> None:
        try:
            written, error = self._told.get(timeout=min(seconds, 0.01))
        except Empty:
            return
        written(error)

    def close(self, _seconds: float) -> None:
        while not self._told.empty():
            self.poll(0)
        self.closed = True


def queue(broker: Broker, sealer: PlainSealer | None = None, **limits: float) -> TopicQueue:
    return TopicQueue(broker, sealer or PlainSealer(), CollectSettings(**limits), Counts())


def test_it_is_answered_once_all_of_a_request_is_acknowledged() -> None:
    async def run() -> None:
        broker = Broker()
        broker.holding = True
        line = queue(broker)
        waiting = asyncio.create_task(line.store("web", make("a", "b"), 2))
        while len(broker.written) < 2:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert not waiting.done()
        broker.let_go()
        await waiting
        await asyncio.to_thread(line.close)
        assert broker.closed

    asyncio.run(run())


def test_one_message_that_is_not_written_refuses_its_request_and_no_other() -> None:
    async def run() -> None:
        broker = Broker()
        broker.refuse = frozenset({b"b"})
        line = queue(broker)
        bad, good = await asyncio.gather(
            line.store("web", make("a", "b", "c"), 3),
            line.store("web", make("d"), 1),
            return_exceptions=True,
        )
        assert isinstance(bad, StoreBusy)
        assert "no leader" in str(bad)
        assert good is None
        await asyncio.to_thread(line.close)

    asyncio.run(run())


def test_a_writer_that_is_full_refuses_what_it_did_not_take() -> None:
    async def run() -> None:
        broker = Broker(most=3)
        line = queue(broker)
        await line.store("web", make("a", "b"), 2)
        with pytest.raises(StoreBusy, match="full"):
            await line.store("web", make("c", "d", "e"), 3)
        assert broker.written == [b"a", b"b", b"c"]
        broker.most = 9
        await line.store("web", make("c", "d", "e"), 3)
        await asyncio.to_thread(line.close)

    asyncio.run(run())


def test_no_more_waits_than_there_is_room_for() -> None:
    async def run() -> None:
        broker = Broker()
        broker.holding = True
        line = queue(broker, waiting_events=3)
        first = asyncio.create_task(line.store("web", make("a", "b"), 2))
        await asyncio.sleep(0.01)
        with pytest.raises(RateLimited):
            await line.store("web", make("c", "d"), 2)
        broker.let_go()
        await first
        await line.store("web", make("c", "d"), 2)
        await asyncio.to_thread(line.close)

    asyncio.run(run())


def test_keys_that_cannot_be_read_refuse_the_request() -> None:
    async def run() -> None:
        sealer = PlainSealer()
        sealer.error = StoreUnavailable("no keys")
        line = queue(Broker(), sealer)
        with pytest.raises(StoreUnavailable):
            await line.store("web", make("a"), 1)
        sealer.error = None
        await line.store("web", make("a"), 1)
        await asyncio.to_thread(line.close)

    asyncio.run(run())


def test_what_waits_at_the_end_is_still_sent() -> None:
    async def run() -> None:
        broker = Broker()
        line = queue(broker)
        waiting = [asyncio.create_task(line.store("web", make(f"{n}"), 1)) for n in range(50)]
        await asyncio.sleep(0)
        await asyncio.to_thread(line.close)
        await asyncio.gather(*waiting)
        assert len(broker.written) == 50

    asyncio.run(run())
