"""One timer for the patience with many requests."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lingxi.errors import BodyUnreadable
from lingxi.server.collect import door
from lingxi.server.collect.patience import Patience


async def wait(patience: Patience, work: Awaitable[object]) -> str:
    try:
        with patience.start():
            await work
    except TimeoutError:
        return "given up"
    await asyncio.sleep(0)  # nothing of it follows the task
    return "done"


async def ask(seconds: list[float]) -> list[str]:
    patience = Patience(0.15, look_seconds=0.02)
    return list(await asyncio.gather(*(wait(patience, asyncio.sleep(s)) for s in seconds)))


def test_what_takes_too_long_ends_and_the_rest_goes_on() -> None:
    assert asyncio.run(ask([0, 30, 0.01, 30])) == ["done", "given up", "done", "given up"]


def test_each_event_loop_has_its_own_time() -> None:
    patience = Patience(0.1, look_seconds=0.02)

    async def leave() -> None:  # its loop ends while something is going on
        asyncio.get_running_loop().create_task(wait(patience, asyncio.sleep(30)))
        await asyncio.sleep(0.01)

    for _ in range(2):
        asyncio.run(leave())
        assert asyncio.run(wait(patience, asyncio.sleep(30))) == "given up"


def test_who_is_cancelled_by_others_is_cancelled() -> None:
    async def cancel() -> None:
        task = asyncio.create_task(wait(Patience(30), asyncio.sleep(60)))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())


def test_one_timer_serves_all_and_none_is_left() -> None:
    async def count() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        calls, later = [], loop.call_later

        def note(delay: float, call: Callable[..., object], *words: object) -> asyncio.TimerHandle:
            calls.append(call)
            return later(delay, call, *words)

        loop.call_later = note
        patience = Patience(5, look_seconds=0.02)
        await asyncio.gather(*(wait(patience, asyncio.sleep(0)) for _ in range(50)))
        first = len(calls)
        await asyncio.sleep(0.1)
        return first, sum(call == patience._look for call in calls)

    assert asyncio.run(count()) == (1, 1)


def test_a_body_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "_patience", Patience(0.1, look_seconds=0.02))

    async def receive() -> dict[str, object]:
        await asyncio.sleep(30)
        return {}

    with pytest.raises(BodyUnreadable, match="did not arrive"):
        asyncio.run(door.read_body(receive, 1000))
