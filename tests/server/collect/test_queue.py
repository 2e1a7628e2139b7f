"""The queue: bounded, fair, and nobody waits for ever."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import Event as Signal

import pytest

from lingxi.config import CollectSettings
from lingxi.errors import RateLimited, StoreBusy, StoreUnavailable
from lingxi.ingest.message import Dropped, Message, Outcome
from lingxi.ingest.reasons import DropReason
from lingxi.server.collect.counts import Counts
from lingxi.server.collect.queue import Queue, take_safely

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make(source: str, *names: str) -> list[Message]:
    return [Message(body={"n": n}, raw=n.encode(), received_at=NOW, source=source) for n in names]


class Taker:
    """Remembers what it took; holds still until told to go on; chokes on 'poison'."""

    def __init__(self) -> None:
        self.taken: list[list[bytes]] = []
        self.entered, self.go_on = Signal(), Signal()
        self.go_on.set()
        self.error: Exception | None = None

    def take(self, messages: Sequence[Message]) -> list[Outcome]:
        self.entered.set()
        assert self.go_on.wait(10)
        if self.error is not None:
            raise self.error
        if any(m.raw == b"poison" and m.refused is None for m in messages):
            raise ValueError("choked")
        self.taken.append([m.raw for m in messages])
        reason = DropReason.LINE_MALFORMED
        return [
            Outcome(cleaned=Dropped(message=m, step="s", reason=reason), result="dropped")
            for m in messages
        ]


def queue(taker: Taker, **limits: float) -> Queue:
    return Queue(taker, CollectSettings(**limits), Counts())


async def until(signal: Signal) -> None:
    assert await asyncio.to_thread(signal.wait, 10)


def test_what_waits_is_committed_together() -> None:
    async def run() -> None:
        taker = Taker()
        taker.go_on.clear()
        line = queue(taker)
        first = asyncio.create_task(line.store("a", make("a", "1"), 1))
        await asyncio.sleep(0)
        await until(taker.entered)
        rest = [asyncio.create_task(line.store("a", make("a", str(n)), 1)) for n in range(2, 9)]
        await asyncio.sleep(0)
        assert not first.done()
        taker.go_on.set()
        await asyncio.gather(first, *rest)
        line.close()
        assert taker.taken == [[b"1"], [b"2", b"3", b"4", b"5", b"6", b"7", b"8"]]

    asyncio.run(run())


def test_a_full_queue_refuses_at_once_and_has_room_again_later() -> None:
    async def run() -> None:
        taker = Taker()
        taker.go_on.clear()
        line = queue(taker, waiting_events=8)
        tasks = [asyncio.create_task(line.store("a", make("a", str(n)), 1)) for n in range(6)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited) as refused:  # one source fills three quarters at most
            await line.store("a", make("a", "x"), 1)
        assert refused.value.retry_after_seconds >= 1
        tasks += [asyncio.create_task(line.store("b", make("b", str(n)), 1)) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await line.store("c", make("c", "x"), 1)
        taker.go_on.set()
        await asyncio.gather(*tasks)
        await line.store("c", make("c", "x"), 1)
        line.close()
        assert sorted(raw for part in taker.taken for raw in part) == sorted(
            [b"0", b"1", b"2", b"3", b"4", b"5", b"0", b"1", b"x"]
        )

    asyncio.run(run())


def test_the_queue_is_bounded_by_bytes_too() -> None:
    async def run() -> None:
        taker = Taker()
        taker.go_on.clear()
        line = queue(taker, waiting_bytes=100)
        task = asyncio.create_task(line.store("a", make("a", "1"), 90))
        await asyncio.sleep(0)
        with pytest.raises(RateLimited):
            await line.store("b", make("b", "2"), 20)
        taker.go_on.set()
        await task
        line.close()

    asyncio.run(run())


def test_one_source_does_not_hold_up_another() -> None:
    async def run() -> None:
        taker = Taker()
        taker.go_on.clear()
        line = queue(taker, commit_events=500)
        tasks = [asyncio.create_task(line.store("a", make("a", "0"), 1))]
        await asyncio.sleep(0)
        await until(taker.entered)
        flood = make("a", *("a" for _ in range(2000)))
        tasks.append(asyncio.create_task(line.store("a", flood, 2000)))
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(line.store("b", make("b", "b"), 1)))
        await asyncio.sleep(0)
        taker.go_on.set()
        await asyncio.gather(*tasks)
        line.close()
        assert b"b" in taker.taken[1]
        assert sum(len(part) for part in taker.taken) == 2002
        assert max(len(part) for part in taker.taken) <= 501

    asyncio.run(run())


def test_a_request_that_waits_too_long_is_let_go() -> None:
    async def run() -> None:
        taker = Taker()
        taker.go_on.clear()
        line = queue(taker, patience_seconds=0.01)
        with pytest.raises(StoreBusy):
            await line.store("a", make("a", "1"), 1)
        taker.go_on.set()
        line.close()

    asyncio.run(run())


@pytest.mark.parametrize("error", [StoreBusy("x"), StoreUnavailable("x")])
def test_an_error_of_the_store_reaches_everyone_who_waits(error: Exception) -> None:
    async def run() -> None:
        taker = Taker()
        taker.error = error
        line = queue(taker)
        told = await asyncio.gather(
            line.store("a", make("a", "1"), 1),
            line.store("b", make("b", "2"), 1),
            return_exceptions=True,
        )
        assert [type(each) for each in told] == [type(error)] * 2
        taker.error = None
        await line.store("a", make("a", "1"), 1)
        line.close()

    asyncio.run(run())


def test_a_message_that_the_intake_chokes_on_is_set_aside_alone() -> None:
    taker = Taker()
    outcomes = take_safely(taker, make("a", "1", "2", "poison", "4"))
    assert [o.cleaned.message.raw for o in outcomes] == [b"1", b"2", b"poison", b"4"]
    assert [o.cleaned.message.refused for o in outcomes] == [
        None,
        None,
        DropReason.LINE_MALFORMED,
        None,
    ]


def test_closing_stores_what_waits() -> None:
    async def run() -> None:
        taker = Taker()
        line = queue(taker)
        tasks = [asyncio.create_task(line.store("a", make("a", str(n)), 1)) for n in range(50)]
        await asyncio.sleep(0)
        line.close()
        await asyncio.gather(*tasks)
        assert sum(len(part) for part in taker.taken) == 50

    asyncio.run(run())
