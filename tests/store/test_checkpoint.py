"""The write-ahead log moved beside the writer: what is moved, and when it stops trying."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.event import listen

from lingxi.store import checkpoint as module
from lingxi.store.checkpoint import Checkpoints, catch_up, checkpoint, finish
from lingxi.store.engine import begin_read, begin_write, open_engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/a.sqlite", lock_timeout_seconds=5)
    with begin_write(engine) as tx:
        tx.execute(text("CREATE TABLE thing (n INTEGER PRIMARY KEY, word TEXT)"))
    yield engine
    engine.dispose()


def put(engine: Engine, n: int) -> None:
    with begin_write(engine) as tx:
        for _ in range(n):
            tx.execute(text("INSERT INTO thing (word) VALUES (:word)"), {"word": "x" * 1_500})


def test_what_is_moved_once_is_not_moved_again_and_the_log_begins_anew(engine: Engine) -> None:
    put(engine, 40)
    assert catch_up(engine)
    length, moved = checkpoint(engine)
    assert length == moved > 40
    put(engine, 1)
    again, _ = checkpoint(engine)
    assert again < length  # the writer found everything in the database, and began the log anew


def test_a_reader_keeps_what_it_sees_and_the_rest_is_moved_later(engine: Engine) -> None:
    put(engine, 5)
    with begin_read(engine) as tx:
        assert tx.execute(text("SELECT count(*) FROM thing")).scalar() == 5
        put(engine, 5)
        assert not catch_up(engine)
        assert tx.execute(text("SELECT count(*) FROM thing")).scalar() == 5
    assert catch_up(engine)


def test_it_stops_where_the_log_grows_as_fast_as_it_is_moved(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([(10, 10), (20, 20), (30, 30), (40, 40)])
    monkeypatch.setattr(module, "checkpoint", lambda _engine: next(told))
    assert not catch_up(engine)
    assert next(told) == (40, 40)


def test_the_last_of_a_long_log_is_moved_between_two_commits(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONG", 10)
    told = iter([(10, 10), (20, 20), (30, 30)])
    monkeypatch.setattr(module, "checkpoint", lambda _engine: next(told))
    put(engine, 20)
    assert catch_up(engine)
    length, moved = checkpoint(engine)
    assert length == moved > 20


def test_it_waits_for_a_writer_and_for_no_reader(engine: Engine) -> None:
    with begin_write(engine) as tx:
        tx.execute(text("INSERT INTO thing (word) VALUES ('a')"))
        assert not finish(engine)
    with begin_read(engine) as tx:
        tx.execute(text("SELECT count(*) FROM thing")).scalar()
        put(engine, 3)
        assert not finish(engine)
    assert finish(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5_000


def test_it_goes_on_where_less_is_left_each_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([(100, 100), (140, 140), (150, 150), (150, 150)])
    monkeypatch.setattr(module, "checkpoint", lambda _engine: next(told))
    assert catch_up(engine)


def test_the_thread_takes_no_connection_that_a_writer_would_use(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took the one with the writer's pages: the writer went on with another, and each in turn
    dropped 32 MB of pages and read them again, in ever more pieces of memory."""
    opened: list[object] = []
    done = Event()
    listen(engine, "connect", lambda connection, _entry: opened.append(connection))

    def spy(own: Engine) -> bool:
        with own.connect():
            put(engine, 1)  # a commit while the log is being moved
        moved = catch_up(own)
        done.set()
        return moved

    monkeypatch.setattr(module, "catch_up", spy)
    checkpoints = Checkpoints(engine, rows=1)
    put(engine, 20)
    checkpoints.note(20)
    assert done.wait(30)
    checkpoints.close()
    assert opened == []  # all commits went over the connection that there was
    length, moved = checkpoint(engine)
    assert length == moved
