"""A message counts once, however the process, the transaction and the runs stand."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.clock import SystemClock
from lingxi.config import Settings
from lingxi.schema import Event
from lingxi.store import Store, id_runs, id_snapshot
from lingxi.store import message_ids as room
from lingxi.store.id_runs import Runs, digest, pack_run, to_words, unpack_run
from lingxi.store.log import find_known
from lingxi.store.message_ids import MessageIds, message_ids
from lingxi.store.tables import event, id_run

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True, params=[False, True], ids=["runs", "snapshots"])
def short_runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of eight positions: a few dozen events go through all that millions do. With snapshots
    each run that is closed is followed by one, at once."""
    monkeypatch.setattr(room, "RUN", 8)
    monkeypatch.setattr(id_runs, "RUN", 8)
    monkeypatch.setattr(id_runs, "_FAN", 2)
    if request.param:
        monkeypatch.setattr(id_snapshot, "_PAUSE_SECONDS", 0.0)
        monkeypatch.setattr(id_runs, "_KEPT_EVERY", 1)
        monkeypatch.setattr(id_runs, "write_beside", write_at_once)


def write_at_once(place: Path, runs: int, last: bytes, parts: id_snapshot.Parts) -> Thread:
    thread = id_snapshot.write_beside(place, runs, last, parts)
    thread.join()
    return thread


def open_store(folder: Path) -> Store:
    return Store.open(Settings(folder=folder), SystemClock(), tables=[sa.MetaData()])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


def tell(*ids: str) -> list[Event]:
    return [Event(event_id=i, name="Seen", occurred_at=AT, received_at=AT) for i in ids]


def web(*numbers: int) -> list[Event]:
    return tell(*(f"web:{number}" for number in numbers))


def known(store: Store, *ids: str) -> set[str]:
    with store.read() as tx:
        return find_known(tx, ids)


@contextmanager
def failing(store: Store) -> Iterator[sa.Connection]:
    """A write transaction that is taken back after the block."""
    with suppress(ZeroDivisionError), store.write() as tx:
        yield tx
        raise ZeroDivisionError


def list_ids(store: Store) -> list[str]:
    return [each.event_id for each in store.log.read()]


def test_a_message_counts_once_in_every_run_and_after_a_restart(
    store: Store, tmp_path: Path
) -> None:
    for start in range(0, 60, 6):
        store.log.append(web(*range(start, start + 6)))
    everything = [f"web:{number}" for number in range(60)]
    assert known(store, *everything, "web:60") == set(everything)
    done = store.log.append(web(*range(55, 65)))
    assert (done.inserted, done.duplicates) == (5, 5)
    with store.read() as tx:
        written = tx.execute(sa.select(id_run.c.number).order_by(id_run.c.number)).scalars().all()
    assert written == list(range(len(written)))
    assert len(written) >= 5
    other = open_store(tmp_path)  # another process knows as much
    assert known(other, *everything, "web:65") == set(everything)
    assert other.log.append(web(3, 64, 65)).inserted == 1
    assert store.log.append(web(65, 66)).inserted == 1
    assert list_ids(store) == [f"web:{number}" for number in range(67)]
    other.close()


def test_of_one_id_in_a_batch_the_first_is_kept(store: Store) -> None:
    done = store.log.append([*web(1, 2, 1), *tell("order:1", "order:1"), *web(2, 3)])
    assert list_ids(store) == ["web:1", "web:2", "order:1", "web:3"]
    assert done.positions == {"web:1": 1, "web:2": 2, "order:1": 3, "web:3": 4}


def test_what_was_taken_back_was_never_there(store: Store) -> None:
    """A transaction that fails leaves no trace, though another then takes its positions."""
    store.log.append(web(1))
    with failing(store) as tx:
        store.log.append(web(2, 3), tx=tx)
        assert find_known(tx, ["web:1", "web:2", "web:4"]) == {"web:1", "web:2"}
        assert store.log.append(web(3, 4), tx=tx).inserted == 1
    assert known(store, "web:2", "web:3", "web:4") == set()
    store.log.append(web(5, 3))
    assert known(store, "web:2", "web:3", "web:5") == {"web:3", "web:5"}
    assert store.log.append(web(2, 3)).inserted == 1


def test_events_of_the_system_first_and_then_messages_in_one_transaction(store: Store) -> None:
    with failing(store) as tx:
        store.log.append(tell("order:1"), tx=tx)
        store.log.append(web(1), tx=tx)
    store.log.append(web(2))  # stands where "order:1" did
    assert store.log.append(web(1, 2)).inserted == 1


def test_a_message_that_was_withdrawn_may_come_again(store: Store) -> None:
    store.log.append(web(*range(40)))
    with store.write() as tx:
        assert store.withdraw(
            [e for e in store.log.read() if e.event_id in ("web:1", "web:39")], tx
        )
        assert store.log.append(web(39), tx=tx).inserted == 1
    assert known(store, "web:1", "web:2", "web:39") == {"web:2", "web:39"}
    assert store.log.append(web(1, 2, 39)).inserted == 1
    store.log.append(web(*range(40, 80)))
    assert store.log.append(web(1, 2, 39, 79)).inserted == 0


def test_two_ids_with_one_hash_are_two_messages(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "digest", lambda _: b"the same")
    monkeypatch.setattr(id_runs, "digest", lambda _: b"the same")
    store.log.append(web(*range(40)))
    assert known(store, *(f"web:{n}" for n in range(45))) == {f"web:{n}" for n in range(40)}
    assert store.log.append(web(*range(35, 45))).inserted == 5


def test_an_old_snapshot_is_answered_from_what_it_sees(store: Store) -> None:
    store.log.append(web(*range(20)))
    with store.read() as old:
        assert find_known(old, ["web:1", "web:30"]) == {"web:1"}
        store.log.append(web(*range(20, 60)))  # closes runs that the snapshot does not see
        assert known(store, "web:30", "web:60") == {"web:30"}
        assert find_known(old, ["web:1", "web:17", "web:30"]) == {"web:1", "web:17"}


def test_ids_of_the_system_are_found_through_their_index(store: Store) -> None:
    with store.read() as tx:
        plans = tx.execute(
            sa.text(
                "EXPLAIN QUERY PLAN SELECT event_id FROM event WHERE event_id IN "
                "(SELECT value FROM json_each('[]')) AND substr(event_id, 1, 3) <> 'web'"
            )
        ).all()
    assert any("ix_event_event_id" in row.detail for row in plans)


def test_a_log_without_runs_gets_them(store: Store, tmp_path: Path) -> None:
    """As after an update from a version that had a tree of ids."""
    store.log.append(web(*range(50)))
    with store.write() as tx:
        tx.execute(sa.delete(id_run))
    other = open_store(tmp_path)
    with other.write() as tx:
        message_ids(tx).close_runs(tx)
        assert tx.execute(sa.select(sa.func.count()).select_from(id_run)).scalar_one() == 5
    assert known(other, "web:0", "web:49", "web:50") == {"web:0", "web:49"}
    other.close()


def test_a_run_comes_back_from_its_bytes() -> None:
    ids = [f"web:{number}" for number in range(8)]
    words = to_words(map(digest, ids))
    found, positions = unpack_run(3, pack_run(words, range(25, 33)))
    assert np.array_equal(found, np.sort(words))
    by_hash = dict(zip(words.tolist(), range(25, 33), strict=True))
    assert [by_hash[word] for word in found.tolist()] == positions.tolist()
    assert len(to_words([])) == 0
    assert unpack_run(0, b"")[1].tolist() == []


@pytest.mark.parametrize("step", [7, 3])
def test_runs_are_merged_and_each_is_found(store: Store, step: int) -> None:
    runs = Runs()
    with store.read() as tx:
        for number in range(11):
            ids = [f"web:{number * 8 + place}" for place in range(8)]
            positions = range(number * 8 + 1, number * 8 + 9)
            runs.close(to_words(map(digest, ids)), list(positions))
        assert [level for level, _ in runs._sorted] == [3, 1, 0]
        asked = [f"web:{number}" for number in range(0, 100, step)]
        found = sorted(runs.find(tx, to_words(map(digest, asked))))
    assert found == [number + 1 for number in range(0, 88, step)]


Acts = st.lists(
    st.tuples(
        st.lists(st.integers(0, 30), max_size=12), st.sampled_from(["ok", "fail", "other", "named"])
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(acts=Acts)
def test_the_log_is_what_a_set_would_have_kept(
    tmp_path_factory: pytest.TempPathFactory, acts: Any
) -> None:
    folder = tmp_path_factory.mktemp("log")
    stores = open_store(folder), open_store(folder)
    seen: dict[str, None] = {}
    for numbers, how in acts:
        events = [e for n in numbers for e in (web(n) if how != "named" else tell(f"order:{n}"))]
        store = stores[how == "other"]
        if how == "fail":
            with failing(store) as tx:
                store.log.append(events, tx=tx)
        else:
            store.log.append(events)
            seen.update(dict.fromkeys(e.event_id for e in events))
    assert list_ids(stores[0]) == list(seen)
    for store in stores:
        store.close()


def test_nothing_is_read_for_a_log_that_nobody_asks(store: Store) -> None:
    store.log.append(tell("order:1", "item:2"))
    with store.read() as tx:
        assert message_ids(tx)._runs is None
        assert MessageIds().find(tx, ["web:1"]) == set()
        assert tx.execute(sa.select(event.c.event_id)).scalars().all() == ["order:1", "item:2"]


def test_postgres_knows_messages_as_sqlite_does(postgres_store: Store) -> None:
    store = postgres_store
    for start in range(0, 60, 6):
        store.log.append(web(*range(start, start + 6)))
    with failing(store) as tx:
        store.log.append([*tell("order:1"), *web(60, 61)], tx=tx)
        assert find_known(tx, ["web:3", "web:60", "order:1"]) == {"web:3", "web:60", "order:1"}
    done = store.log.append([*web(3, 61, 61, 62), *tell("order:1")])
    assert (done.inserted, done.duplicates) == (3, 2)
    assert store.log.append(tell("order:1")).inserted == 0
    everything = [*(f"web:{number}" for number in range(60)), "web:61", "web:62", "order:1"]
    assert list_ids(store) == everything
    with store.read() as tx:
        assert MessageIds().find(tx, everything[:-1]) == set(everything[:-1])
        assert tx.execute(sa.select(sa.func.count()).select_from(id_run)).scalar_one() >= 5
