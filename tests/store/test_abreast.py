"""Transactions side by side see one moment, whoever writes between their beginnings."""

from collections.abc import Callable
from contextlib import ExitStack
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, func, select

from lingxi.schema import Event
from lingxi.store import Store, abreast
from lingxi.store.abreast import read_abreast
from lingxi.store.tables import event

Make = Callable[..., Event]


def count(tx: Connection, _item: object = None) -> int:
    return tx.execute(select(func.count()).select_from(event)).scalar_one()


def disturb(store: Store, events: Make, patch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Have somebody append after each of the first transactions that begin; how many began."""
    begun: list[int] = []
    begin = abreast._begin

    def begin_and_append(stack: ExitStack, engine: Engine) -> Connection:
        connection = begin(stack, engine)
        begun.append(len(begun))
        if len(begun) <= times:
            store.log.append([events(100 + len(begun))])
        return connection

    patch.setattr(abreast, "_begin", begin_and_append)
    patch.setattr("lingxi.store.abreast.os.sched_getaffinity", lambda _: {0, 1})
    return begun


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_all_see_the_same_and_nothing_that_comes_later(
    sqlite_store: Store, events: Make, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    sqlite_store.log.append([events(1)])
    begun = disturb(sqlite_store, events, monkeypatch, times)
    both = Barrier(2, timeout=20)

    def count_together(tx: Connection, _item: object) -> int:
        both.wait()  # passed only where two are asked at once
        return count(tx)

    with read_abreast(sqlite_store.engine) as state:
        sqlite_store.log.append([events(2)])
        assert state.ask(count_together, range(4)) == [1 + times] * 4
        assert count(state.first) == 1 + times
    assert len(begun) == 2 + 2 * ((times + 1) // 2)


def test_where_somebody_always_writes_there_is_one(
    sqlite_store: Store, events: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(sqlite_store, events, monkeypatch, 100)
    with read_abreast(sqlite_store.engine) as state:
        before = count(state.first)
        sqlite_store.log.append([events(2)])
        asked: list[Connection] = []
        found = state.ask(lambda tx, n: (asked.append(tx), count(tx) + n)[1], [0, 1, 2])
        assert found == [before, before + 1, before + 2]
        assert set(map(id, asked)) == {id(state.first)}


def test_an_error_of_one_question_is_the_callers(
    sqlite_store: Store, events: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturb(sqlite_store, events, monkeypatch, 0)

    def fail(tx: Connection, item: int) -> int:
        return count(tx) // item

    with read_abreast(sqlite_store.engine) as state:
        with pytest.raises(ZeroDivisionError):
            state.ask(fail, [1, 0, 1])
        assert state.ask(fail, [1, 1]) == [0, 0]
