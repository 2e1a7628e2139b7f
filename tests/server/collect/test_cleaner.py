"""The process that cleans beside the collector: what it tells, its end, and batches over HTTP."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from lingxi.app.shop import Shop
from lingxi.errors import RateLimited
from lingxi.ingest.carried import Judged
from lingxi.ingest.message import Cleaned
from lingxi.ingest.wire import Sender
from lingxi.server.collect import cleaner as module
from lingxi.server.collect.cleaner import Cleaner
from server.collect.conftest import Collector

SENDER = Sender("web", datetime(2026, 3, 1, tzinfo=UTC))


def batch(n: int, first: int = 0) -> bytes:
    messages = [
        {"type": "track", "event": f"Thing {i}", "messageId": f"m{i}", "userId": f"u{i}"}
        for i in range(first, first + n)
    ]
    return json.dumps({"batch": messages}).encode()


@pytest.fixture
def environ() -> dict[str, str]:
    return {"LINGXI_COLLECT_BESIDE_BYTES": "100"}


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "count_cores", lambda: 2)


async def ask(cleaner: Cleaner, body: bytes) -> Sequence[Judged]:
    """The answer, once the process is ready."""
    for _ in range(3_000):
        judged = await cleaner.judge(body, SENDER)
        if judged is not None:
            return judged
        await asyncio.sleep(0.01)
    raise AssertionError("the process did not start")


def test_a_process_that_ends_is_missed_by_nobody_and_another_one_starts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)

    async def run() -> None:
        cleaner = Cleaner(shop.settings)
        assert await cleaner.judge(batch(1), SENDER) is None  # nobody waits for its start
        judged = await ask(cleaner, batch(3))
        assert [e.event.name for e in judged if isinstance(e, Cleaned)] == [
            "Thing 0",
            "Thing 1",
            "Thing 2",
        ]
        both = await asyncio.gather(*(cleaner.judge(batch(1, i), SENDER) for i in range(20)))
        assert [e.event.event_id for told in both if told for e in told] == [
            f"web:m{i}" for i in range(20)
        ]
        child = cleaner._child
        assert child is not None
        child.kill()
        while await cleaner.judge(batch(1), SENDER) is not None:
            pass
        assert await ask(cleaner, batch(2))
        last = cleaner._child
        assert last is not None
        assert last.pid != child.pid
        cleaner.close()
        assert last.returncode is not None
        assert await cleaner.judge(batch(1), SENDER) is None

    asyncio.run(run())


def test_more_than_may_wait_is_refused(shop: Shop) -> None:
    async def run() -> None:
        cleaner = Cleaner(shop.settings)
        await ask(cleaner, batch(1))
        cleaner._most = 1_000
        first = asyncio.create_task(cleaner.judge(batch(20), SENDER))  # alone it has its turn
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await cleaner.judge(batch(20), SENDER)
        assert await first
        assert await cleaner.judge(batch(20), SENDER)
        cleaner.close()

    asyncio.run(run())


def test_batches_are_stored_the_same_before_and_after_the_process_is_ready(
    collector: Collector,
) -> None:
    cleaner = collector.app.state["door"].cleaner
    sent = 0
    while cleaner._writer is None or sent < 40:
        body = batch(10, sent)
        answer = collector.client.post("/v1/batch", content=body, headers=collector.basic)
        assert answer.status_code == 200
        sent += 10
        again = collector.client.post("/v1/batch", content=body, headers=collector.basic)
        assert again.status_code == 200
    events = collector.events()
    assert [event.event_id for event in events] == [f"web:m{i}" for i in range(sent)]
    assert {event.source for event in events} == {collector.source.name}
