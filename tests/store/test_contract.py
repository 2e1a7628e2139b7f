"""What every engine of the store keeps to: one suite, run on SQLite and on PostgreSQL."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import sleep

import pyarrow as pa
import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    MetaData,
    String,
    Table,
    insert,
    select,
)

from lingxi.errors import InvalidInput
from lingxi.schema import EVENT_ROWS, Event, Line
from lingxi.store import Store
from lingxi.store.codec import to_arrow
from lingxi.store.tables import Moment, identity

Make = Callable[..., Event]
START = datetime(2026, 3, 1, tzinfo=UTC)


def rows_of(store: Store, name: str) -> list[dict[str, object]]:
    projection = next(p for p in store.projections if p.name == name)
    with store.read() as tx:
        query = select(projection.table).order_by(*projection.table.primary_key.columns)
        return [dict(row) for row in tx.execute(query).mappings()]


def refold(store: Store, name: str) -> list[dict[str, object]]:
    """The oracle: the pure fold over the whole log, one event at a time."""
    projection = next(p for p in store.projections if p.name == name)
    with store.read() as tx:
        people = {s: c for s, c, _ in tx.execute(select(identity))}
    rows: dict[tuple[int | str, ...], dict[str, object]] = {}
    names = [c.name for c in projection.table.primary_key.columns]
    for event in store.log.read(limit=10**6):
        if event.subject is None:
            continue
        customer = people.get(event.subject, event.subject)
        for key in projection.keys(event, customer):
            new = projection.update(rows.get(key), event, customer, key)
            rows[key] = {**dict(zip(names, key, strict=True)), **new}
    return [rows[key] for key in sorted(rows)]


def analytics_rows(store: Store) -> list[dict[str, object]]:
    with store.analytics() as analytics:
        table = analytics.to_arrow(analytics.events.order_by(["position", "line"]))
    return table.to_pylist()


class Abandoned(Exception):
    """Ends a transaction that must leave nothing."""


@contextmanager
def abandoned(store: Store) -> Iterator[Connection]:
    with suppress(Abandoned), store.write() as tx:
        yield tx
        raise Abandoned


class StoreContract:
    """Runs on the fixture ``store``."""

    def test_an_event_comes_back_as_it_was_given(self, store: Store, events: Make) -> None:
        given = Event(
            event_id="x",
            name="Order Completed",
            occurred_at=datetime(2011, 12, 9, 12, 50, 0, 123456, tzinfo=UTC),
            received_at=START,
            subject=7,
            session_id="s",
            order_id="536365",
            currency="GBP",
            country="United Kingdom",
            category="灵犀",
            query="rød",
            amount_cents=10,
            cost_cents=-3,
            lines=(Line("85123A", 6, None, 10), Line("ü", 1)),
            properties={"a": 1, "b": None, "c": 1.5, "d": True, "e": "é"},
            source="test",
        )
        store.log.append([events(0), given])
        back = store.log.read(after=1)
        assert back == [
            Event(
                **{f: getattr(given, f) for f in given.__struct_fields__ if f != "position"},
                position=2,
            )
        ]

    def test_appending_twice_changes_nothing(self, store: Store, events: Make) -> None:
        batch = [events(n, subject=n % 5 + 1) for n in range(2_300)]
        first = store.log.append(batch)
        assert (first.inserted, first.duplicates, first.position) == (2_300, 0, 2_300)
        before = rows_of(store, "test_profile"), rows_of(store, "test_history")
        again = store.log.append(batch)
        assert (again.inserted, again.duplicates, again.position) == (0, 2_300, 2_300)
        assert (rows_of(store, "test_profile"), rows_of(store, "test_history")) == before
        assert store.log.count() == 2_300

    def test_duplicates_within_a_batch_count_once(self, store: Store, events: Make) -> None:
        done = store.log.append([events(1), events(2), events(1), events(3), events(2)])
        assert (done.inserted, done.duplicates) == (3, 2)
        assert [(e.position, e.event_id) for e in store.log.read()] == [
            (1, "e1"),
            (2, "e2"),
            (3, "e3"),
        ]
        assert rows_of(store, "test_profile")[0]["events"] == 3

    def test_projections_equal_the_fold_of_the_log(self, store: Store, events: Make) -> None:
        with store.write() as tx:
            tx.execute(insert(identity), [{"subject": 4, "customer": 2, "known": True}])
        batch = [events(n, subject=(n * 7) % 6 or None) for n in range(400)]
        for start, stop in ((0, 3), (1, 40), (40, 41), (20, 390), (380, 400)):
            store.log.append(batch[start:stop])
        for name in ("test_profile", "test_history"):
            assert rows_of(store, name) == refold(store, name)
        assert {r["customer"] for r in rows_of(store, "test_profile")} == {1, 2, 3, 5}

    def test_rebuild_after_a_merge_equals_the_fold(self, store: Store, events: Make) -> None:
        store.log.append([events(n, subject=n % 4 + 1) for n in range(60)])
        with store.write() as tx:
            tx.execute(insert(identity), [{"subject": 3, "customer": 1, "known": True}])
            store.rebuild(store.projections, {1, 3}, tx)
        for name in ("test_profile", "test_history"):
            assert rows_of(store, name) == refold(store, name)

    def test_a_failed_transaction_leaves_nothing(self, store: Store, events: Make) -> None:
        store.log.append([events(0)])
        before = rows_of(store, "test_profile")
        with abandoned(store) as tx:
            store.log.append([events(1), events(2)], tx=tx)
        assert (store.log.count(), store.log.position()) == (1, 1)
        assert rows_of(store, "test_profile") == before
        assert store.log.append([events(1)]).inserted == 1

    def test_a_naive_moment_is_refused(self, store: Store, events: Make) -> None:
        with pytest.raises(InvalidInput, match="e1"):
            store.log.append([events(1, occurred_at=datetime(2026, 1, 1))])  # noqa: DTZ001
        assert store.log.count() == 0

    def test_read_goes_by_position_and_filters(self, store: Store, events: Make) -> None:
        store.log.append([events(n, name="A" if n % 2 else "B") for n in range(10)])
        assert [e.position for e in store.log.read(after=4, limit=3)] == [5, 6, 7]
        assert {e.name for e in store.log.read(names={"A"})} == {"A"}
        assert store.log.read(after=10) == []

    def test_pages_of_a_customer_cover_every_event_once(self, store: Store, events: Make) -> None:
        at = START
        batch = [
            events(n, subject=n % 3 + 1, occurred_at=at + timedelta(days=n * 17 % 5))
            for n in range(50)
        ]
        store.log.append(batch)
        with store.write() as tx:
            people = [(1, 1), (2, 1), (3, 3)]
            rows = [{"subject": s, "customer": c, "known": True} for s, c in people]
            tx.execute(insert(identity), rows)
        seen: list[Event] = []
        before = None
        while page := store.log.read_customer(1, limit=7, before=before):
            seen += page
            before = (page[-1].occurred_at, page[-1].position)
        order = [(e.occurred_at, e.position) for e in seen]
        assert order == sorted(order, reverse=True)
        assert {e.event_id for e in seen} == {e.event_id for e in batch if e.subject != 3}
        assert len(seen) == len(set(order))
        assert store.log.read_customer(2) == []  # merged away: customer 1 has its events

    def test_a_cursor_moves_with_its_transaction(self, store: Store) -> None:
        assert store.log.cursor("stages") == 0
        with store.write() as tx:
            store.log.move_cursor(tx, "stages", 5)
        with abandoned(store) as tx:
            store.log.move_cursor(tx, "stages", 9)
        assert (store.log.cursor("stages"), store.log.cursor("other")) == (5, 0)

    def test_numbers_are_given_out_once(self, store: Store) -> None:
        with store.write() as tx:
            first = store.allocate(tx, "subject", 3)
        with abandoned(store) as tx:
            store.allocate(tx, "subject", 4)
        with store.write() as tx:
            second = store.allocate(tx, "subject", 2)
        assert (list(first), list(second)) == ([1, 2, 3], [4, 5])

    def test_a_late_commit_is_never_skipped(self, store: Store, events: Make) -> None:
        """Two writers; the one that began first commits last. A reader by position sees both."""
        holding, release = threading.Event(), threading.Event()

        def write_slowly() -> None:
            with store.write() as tx:
                store.log.append([events(1)], tx=tx)
                holding.set()
                release.wait(10)

        slow = threading.Thread(target=write_slowly)
        quick = threading.Thread(target=lambda: store.log.append([events(2)]))
        slow.start()
        assert holding.wait(10)
        quick.start()
        seen: list[Event] = []
        for step in range(12):  # while the slow one holds its row back, the quick one may not pass
            seen += store.log.read(after=seen[-1].position if seen else 0)
            if step == 10:
                release.set()
            sleep(0.03)
        slow.join(10)
        quick.join(10)
        seen += store.log.read(after=seen[-1].position if seen else 0)
        assert [e.event_id for e in seen] == ["e1", "e2"]

    def test_a_tailing_reader_sees_every_event_once(self, store: Store, events: Make) -> None:
        def write(worker: int) -> None:
            for n in range(15):
                store.log.append([events(worker * 1_000 + n * 10 + k) for k in range(10)])

        workers = [threading.Thread(target=write, args=(w,)) for w in range(4)]
        for worker in workers:
            worker.start()
        seen: list[Event] = []
        while True:
            alive = any(worker.is_alive() for worker in workers)
            new = store.log.read(after=seen[-1].position if seen else 0, limit=37)
            seen += new
            if not alive and not new:
                break
        assert max(Counter(e.event_id for e in seen).values()) == 1
        assert len(seen) == 600

    def test_analytics_are_lake_and_tail_with_customers(self, store: Store, events: Make) -> None:
        batch = [events(n, subject=(n % 4) or None) for n in range(100)]
        store.log.append(batch[:60])
        rolled = store.lake.roll()
        assert (rolled.events, rolled.position, store.lake.position()) == (60, 60, 60)
        store.log.append(batch[60:])
        with store.write() as tx:
            tx.execute(insert(identity), [{"subject": 2, "customer": 1, "known": True}])
        people = {1: (1, False), 2: (1, True), 3: (3, False), None: (None, False)}
        expected = [
            {**row, "customer": people[row["subject"]][0], "known": people[row["subject"]][1]}
            for row in to_arrow(store.log.read()).to_pylist()
        ]
        assert analytics_rows(store) == expected
        store.lake.roll()
        assert analytics_rows(store) == expected

    def test_an_empty_shop_has_empty_analytics(self, store: Store) -> None:
        assert store.lake.roll().files == 0
        with store.analytics() as analytics:
            table = analytics.to_arrow(analytics.events)
        assert table.num_rows == 0
        assert table.schema.names == [*EVENT_ROWS.names, "customer", "known"]

    def test_lake_files_are_days_of_arrival(self, store: Store, events: Make) -> None:
        store.log.append([events(n) for n in range(30)])
        store.lake.roll()
        names = sorted(
            p.relative_to(store.lake.folder).as_posix() for p in store.lake.folder.glob("day=*/*")
        )
        assert names == [
            "day=2026-03-01/000000000001-000000000030.parquet",
            "day=2026-03-02/000000000001-000000000030.parquet",
        ]
        table = pa.parquet.read_table(store.lake.folder / names[0], partitioning=None)
        assert table.schema == EVENT_ROWS
        metadata = pa.parquet.read_metadata(store.lake.folder / names[0])
        columns = [metadata.row_group(0).column(n) for n in range(metadata.num_columns)]
        ways = {column.path_in_schema: set(column.encodings) for column in columns}
        for name in ("position", "subject", "occurred_at", "amount_cents"):
            assert "DELTA_BINARY_PACKED" in ways[name]
        assert "DELTA_BYTE_ARRAY" in ways["event_id"]
        assert "RLE_DICTIONARY" in ways["name"]

    def test_a_crash_between_file_and_record_doubles_nothing(
        self, store: Store, events: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.log.append([events(n) for n in range(30)])
        with monkeypatch.context() as patch:
            patch.setattr("lingxi.store.lake.record_files", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                store.lake.roll()
        strays = list(store.lake.folder.glob("day=*/*"))
        assert strays
        before = analytics_rows(store)
        assert len(before) == len(to_arrow(store.log.read()))
        store.log.append([events(n) for n in range(30, 40)])
        store.lake.roll()
        assert not any(path.exists() for path in strays)
        assert len(analytics_rows(store)) == len(to_arrow(store.log.read()))

    def test_an_analytics_session_keeps_to_one_moment(self, store: Store, events: Make) -> None:
        profile = next(p for p in store.projections if p.name == "test_profile").table
        store.log.append([events(n) for n in range(10)])
        with store.analytics() as analytics:
            store.log.append([events(n) for n in range(10, 20)])
            store.lake.roll()
            state = analytics.to_arrow(analytics.state(profile)).to_pylist()
            rows = analytics.to_arrow(analytics.events.filter(analytics.events.line == 0))
        assert (state[0]["events"], rows.num_rows) == (10, 10)

    def test_a_state_table_keeps_its_types(self, store: Store) -> None:
        room = MetaData()
        kinds = Table(
            "kinds",
            room,
            Column("customer", BigInteger, primary_key=True, autoincrement=False),
            Column("share", Float),
            Column("known", Boolean),
            Column("since", Moment),
            Column("country", String),
        )
        store.create_tables(room)
        row = {"customer": 2**40, "share": 0.25, "known": True, "since": START, "country": None}
        with store.write() as tx:
            tx.execute(insert(kinds), [row])
        with store.analytics() as analytics:
            table = analytics.to_arrow(analytics.state(kinds))
        assert table.to_pylist() == [row]
        assert [str(kind) for kind in table.schema.types] == [
            "int64",
            "double",
            "bool",
            "timestamp[us, tz=UTC]",
            "string",
        ]


class TestSQLite(StoreContract):
    @pytest.fixture
    def store(self, sqlite_store: Store) -> Store:
        return sqlite_store


@pytest.mark.engine
class TestPostgres(StoreContract):
    @pytest.fixture
    def store(self, postgres_store: Store) -> Store:
        return postgres_store
