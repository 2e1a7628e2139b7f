"""What is remembered of identifiers stays within its bound, and is what a query would find."""

from collections.abc import Collection, Sequence

import pytest
import sqlalchemy as sa

from ingest.conftest import Bench
from lingxi.ingest.merging import names as room
from lingxi.ingest.merging.names import Names
from lingxi.ingest.tables import identifier
from lingxi.store.adding import add_new
from lingxi.store.tables import identity

N = 400
MOST = 20_000
EVERYBODY = [("user", f"u{number}") for number in range(N)]


@pytest.fixture
def known(bench: Bench) -> Bench:
    with bench.store.write() as tx:
        rows = [(*name, s, None, None) for s, name in enumerate(EVERYBODY, 1)]
        add_new(tx, identifier, rows)
        moved = [{"subject": s, "customer": s - 1, "known": True} for s in range(2, N + 1, 2)]
        tx.execute(sa.insert(identity), moved)
    return bench


def owner(subject: int) -> int:
    return subject if subject % 2 else subject - 1


def test_many_customers_take_no_more_than_the_bound(known: Bench) -> None:
    """It was cleared at once when it held so many names, however long they were."""
    names = Names(MOST)
    sizes = []
    with known.store.read() as tx:
        for start in range(0, N, 4):
            wanted = [*EVERYBODY[start : start + 4], ("user", f"stranger {start}")]
            subjects, owners = names.find(tx, wanted)
            assert subjects == {n: start + 1 + i for i, n in enumerate(wanted[:4])}
            assert owners == {s: owner(s) for s in subjects.values()}
            sizes.append(names.size_bytes)
    batch = sizes[0]
    assert max(sizes) <= MOST + 2 * batch
    full = next(place for place, size in enumerate(sizes) if size > MOST - batch)
    for before, after in zip(sizes[full:], sizes[full + 1 :], strict=False):
        assert after >= before - MOST / 2 - batch  # half of it at most, never all at once
    held = len(names._new.subjects) + len(names._old.subjects)
    assert held == len(names._new.owners) + len(names._old.owners)
    assert held * room._ENTRY_BYTES <= names.size_bytes


def test_who_comes_again_is_remembered_and_who_does_not_is_not(
    known: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    find, find_owners = room._find, Names._learn_owners

    def spy(tx: sa.Connection, names: Sequence[tuple[str, str]]) -> object:
        asked.extend(names)
        return find(tx, names)

    def spy_owners(self: Names, tx: sa.Connection, subjects: Collection[int]) -> None:
        asked.extend(subjects)
        find_owners(self, tx, subjects)

    monkeypatch.setattr(room, "_find", spy)
    monkeypatch.setattr(Names, "_learn_owners", spy_owners)
    names, regular = Names(MOST), EVERYBODY[0]
    with known.store.read() as tx:
        for other in EVERYBODY[1:]:
            assert names.find(tx, [regular, other])[0][regular] == 1
        assert asked.count(regular) == 1
        asked.clear()
        assert names.find(tx, [EVERYBODY[1]]) == ({EVERYBODY[1]: 2}, {2: 1})
        assert asked == [EVERYBODY[1]]  # whose it is came with it


def test_what_a_transaction_changed_is_forgotten_wherever_it_is_remembered(known: Bench) -> None:
    names = Names(MOST)
    with known.store.read() as tx:
        for start in range(0, 60, 2):
            names.find(tx, EVERYBODY[start : start + 2])
        old, new = next(iter(names._old.subjects)), next(iter(names._new.subjects))
        size = names.size_bytes
    assert old != new
    with known.store.write() as tx:
        for name in (old, new):
            tx.execute(
                sa.update(identifier)
                .where(identifier.c.value == name[1])
                .values(value=f"was {name[1]}")
            )
        names.forget(tx, [old, new], [1])
    names.keep()
    assert names.size_bytes < size
    with known.store.read() as tx:
        assert names.find(tx, [old, new]) == ({}, {})
