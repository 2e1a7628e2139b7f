"""After ``forget`` nothing of the person is in log, projections, lake, models, keys or files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array
from sqlalchemy import Connection, insert, select

from lingxi.errors import StoreBusy
from lingxi.schema import Event
from lingxi.store import Manifest, Store
from lingxi.store.erasure import list_erasures
from lingxi.store.tables import identity

Make = Callable[..., Event]
SECRET = "order-of-the-forgotten-0042"


def fill(store: Store, events: Make) -> None:
    with store.write() as tx:
        rows = [(1, 1), (2, 1), (3, 3)]
        tx.execute(
            insert(identity), [{"subject": s, "customer": c, "known": True} for s, c in rows]
        )
    batch = [
        events(n, subject=n % 3 + 1, order_id=SECRET if n % 3 == 1 else f"o{n}") for n in range(60)
    ]
    store.log.append(batch[:40])
    store.lake.roll()
    store.log.append(batch[40:])


def files_with(folder: Path, text: str) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


class ErasureContract:
    def test_one_subject_takes_the_whole_person_and_nobody_else(
        self, store: Store, events: Make
    ) -> None:
        fill(store, events)
        others = [e for e in store.log.read() if e.subject == 3]
        before = [row for row in self.rows(store) if row[0] == 3]
        assert store.forget(frozenset({2})) > 0
        assert store.log.read() == others
        assert self.rows(store) == before
        with store.read() as tx:
            assert tx.execute(select(identity.c.subject)).scalars().all() == [3]
        with store.analytics() as analytics:
            rows = analytics.to_arrow(analytics.events)
        assert set(rows["subject"].to_pylist()) == {3}
        assert set(rows["event_id"].to_pylist()) == {e.event_id for e in others}

    def test_no_file_of_the_shop_keeps_the_text(self, store: Store, events: Make) -> None:
        fill(store, events)
        assert self.found(store)
        store.forget(frozenset({1}))
        assert not self.found(store)

    def test_the_rooms_run_in_the_same_transaction(self, store: Store, events: Make) -> None:
        fill(store, events)
        seen: list[frozenset[int]] = []

        def room(_tx: Connection, customers: frozenset[int]) -> int:
            seen.append(customers)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.forget(frozenset({2}), rooms=[room])
        assert seen == [frozenset({1, 2})]
        assert store.log.count() == 60
        assert [request.signed for request in list_erasures(store)] == [False]
        assert store.finish_erasures() == 1
        assert {e.subject for e in store.log.read()} == {3}
        assert [request.signed for request in list_erasures(store)] == [True]
        assert store.finish_erasures() == 0

    def test_positions_are_never_given_out_again(self, store: Store, events: Make) -> None:
        store.log.append([events(n, subject=1) for n in range(5)])
        store.forget(frozenset({1}))
        store.log.append([events(9, subject=2)])
        assert [e.position for e in store.log.read()] == [6]
        assert store.lake.roll().rows == len(events(9).lines) or 1

    @staticmethod
    def rows(store: Store) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        with store.read() as tx:
            for projection in store.projections:
                query = select(projection.table).order_by(*projection.table.primary_key.columns)
                found += [tuple(row) for row in tx.execute(query)]
        return found

    @staticmethod
    def found(store: Store) -> list[str]:
        return files_with(store.folder, SECRET)


class TestSQLite(ErasureContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


@pytest.mark.engine
class TestPostgres(ErasureContract):
    @pytest.fixture
    def store(self, postgres_store: Store) -> Store:
        return postgres_store

    @staticmethod
    def found(store: Store) -> list[str]:
        return [e.event_id for e in store.log.read() if e.order_id == SECRET]


def test_models_lose_the_person_and_keep_the_others(sqlite_store: Store) -> None:
    store = sqlite_store
    customers = np.array([3, 1, 8, 2], dtype=np.int64)
    matrix = csr_array(np.array([[1.0, 0, 2], [0, 3, 0], [4, 0, 0], [0, 5, 6]]))
    for _ in range(2):
        with store.artefacts.write("neighbours") as writer:
            writer.save_array("customers", customers)
            writer.save_array("factors", np.arange(8.0).reshape(4, 2))
            writer.save_csr("ratings", matrix)
            writer.save_array("items", np.arange(3))
            writer.save_table("names", pa.table({"customer": [3, 1, 1], "x": [1, 2, 3]}))
            personal = {"factors": "customers", "ratings": "customers", "names": "customer"}
            writer.manifest = Manifest(personal=personal)
    store.forget(frozenset({1, 2}))
    for manifest in store.artefacts.list("neighbours"):
        model = store.artefacts.open("neighbours", manifest.version)
        assert model.load_array("customers").tolist() == [3, -1, 8, -1]
        assert model.load_array("factors").tolist() == [[0, 1], [0, 0], [4, 5], [0, 0]]
        ratings = model.load_csr("ratings").toarray()
        assert ratings.tolist() == [[1, 0, 2], [0, 0, 0], [4, 0, 0], [0, 0, 0]]
        assert model.load_table("names").to_pylist() == [{"customer": 3, "x": 1}]
        assert len(list(model.path.iterdir())) == len(manifest.files) + 1
    store.forget(frozenset({8}))
    model = store.artefacts.current("neighbours")
    assert model is not None
    assert model.load_array("customers").tolist() == [3, -1, -1, -1]
    assert model.load_csr("ratings").sum() == 3


def test_the_key_of_a_forgotten_person_is_gone(sqlite_store: Store, events: Make) -> None:
    fill(sqlite_store, events)
    mine, theirs = sqlite_store.keyring.encrypt_many([(1, "Ann"), (3, "Bob")])
    sqlite_store.forget(frozenset({2}))
    assert sqlite_store.keyring.decrypt_many([(1, mine), (3, theirs)]) == [None, "Bob"]


def test_an_erasure_is_not_signed_while_old_rows_can_be_read(
    hasty_store: Store, events: Make
) -> None:
    fill(hasty_store, events)
    with hasty_store.read() as tx:
        tx.execute(select(identity)).all()
        with pytest.raises(StoreBusy, match="not signed"):
            hasty_store.forget(frozenset({1}))
    assert [request.signed for request in list_erasures(hasty_store)] == [False]
    hasty_store.finish_erasures()
    assert [request.signed for request in list_erasures(hasty_store)] == [True]
    assert not files_with(hasty_store.folder, SECRET)
