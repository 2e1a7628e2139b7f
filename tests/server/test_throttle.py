"""Every key and every session has its own allowance of a minute, whichever process counts."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from litestar.testing import TestClient
from sqlalchemy import Connection

from lingxi.access import Scope
from lingxi.access.limits import read_window
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock
from lingxi.errors import RateLimited
from lingxi.server.app import create_app
from lingxi.server.background import BackgroundWrites
from lingxi.server.throttle import WINDOW, Throttle


@pytest.fixture
def writes(shop: Shop) -> Iterator[BackgroundWrites]:
    writes = BackgroundWrites(shop.store)
    yield writes
    writes.close()


def take(shop: Shop, throttle: Throttle, bucket: str, times: int) -> int:
    """How many of so many requests are let through."""
    let_through = 0
    with shop.store.read() as tx:
        for _ in range(times):
            try:
                throttle.count(tx, bucket, shop.clock.now())
            except RateLimited:
                continue
            let_through += 1
    return let_through


def advance(shop: Shop, seconds: float) -> None:
    assert isinstance(shop.clock, FixedClock)
    shop.clock.advance(timedelta(seconds=seconds))


def test_one_process_lets_through_exactly_the_limit(shop: Shop, writes: BackgroundWrites) -> None:
    throttle = Throttle(5, writes)
    assert take(shop, throttle, "key:a", 9) == 5
    assert take(shop, throttle, "key:b", 2) == 2
    advance(shop, 59)
    assert take(shop, throttle, "key:a", 1) == 0
    advance(shop, 1)
    assert take(shop, throttle, "key:a", 9) == 5


def test_zero_allows_any_number(shop: Shop, writes: BackgroundWrites) -> None:
    assert take(shop, Throttle(0, writes), "key:a", 1000) == 1000


def test_what_one_process_counted_the_next_one_knows(shop: Shop) -> None:
    first = BackgroundWrites(shop.store)
    throttle = Throttle(5, first)
    assert take(shop, throttle, "key:a", 2) == 2
    advance(shop, 1)
    assert take(shop, throttle, "key:a", 1) == 1  # a second later the counts are shared
    first.close()
    with shop.store.read() as tx:
        assert read_window(tx, "key:a", shop.clock.now(), WINDOW).count == 3
    second = BackgroundWrites(shop.store)
    assert take(shop, Throttle(5, second), "key:a", 9) == 2
    second.close()


def test_counting_never_waits_for_the_lock_of_the_store(
    shop: Shop, writes: BackgroundWrites
) -> None:
    throttle = Throttle(5, writes)
    with shop.store.write():  # an import holds the lock meanwhile
        assert take(shop, throttle, "key:a", 9) == 5


def test_over_the_limit_the_answer_says_when_to_come_back(
    shop: Shop, make_key: Callable[..., dict[str, str]]
) -> None:
    server = replace(shop.settings.server, requests_per_minute=3)
    limited = replace(shop, settings=replace(shop.settings, server=server))
    one, other = make_key(Scope.MODELS), make_key(Scope.MODELS)
    advance(shop, 10)
    with TestClient(create_app(limited)) as client:
        statuses = [client.get("/v1/models", headers=one).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        refused = client.get("/v1/models", headers=one)
        assert refused.json()["error"]["code"] == "rate_limited"
        assert refused.headers["retry-after"] == "50"
        assert client.get("/v1/models", headers=other).status_code == 200
        assert client.get("/health/live").status_code == 200
        advance(shop, 50)
        assert client.get("/v1/models", headers=one).status_code == 200


def test_what_waits_for_a_locked_database_is_bounded(writes: BackgroundWrites) -> None:
    """Each request of a key noted its use anew until the note was on disk: without end."""
    begun, go = Event(), Event()
    done: list[int] = []

    def hold(_tx: Connection) -> None:
        begun.set()
        go.wait(10)

    writes.submit("held", hold)
    assert begun.wait(10)
    taken = [writes.submit("key:a", lambda _tx: done.append(1)) for _ in range(500)]
    assert sum(taken) == 1
    assert sum(writes.submit(f"key:{n}", lambda _tx: done.append(1)) for n in range(5_000)) == 999
    go.set()
    writes.close()
    assert len(done) == 1_000


def test_counts_that_find_no_room_are_shared_later(shop: Shop, writes: BackgroundWrites) -> None:
    begun, go = Event(), Event()

    def hold(_tx: Connection) -> None:
        begun.set()
        go.wait(10)

    throttle = Throttle(100, writes)
    writes.submit("held", hold)
    assert begun.wait(10)
    for _ in range(5):
        take(shop, throttle, "key:a", 3)
        advance(shop, 1)
    go.set()
    writes.close()
    with shop.store.read() as tx:
        assert read_window(tx, "key:a", shop.clock.now(), WINDOW).count == 15
