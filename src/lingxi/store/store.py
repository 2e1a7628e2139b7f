"""The store: one door to log, state, lake, artefacts and keys of a shop."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, MetaData, inspect

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.schema import Event
from lingxi.store import counters, projection
from lingxi.store.analytics import Analytics, Kind, open_analytics
from lingxi.store.artefacts import Artefacts
from lingxi.store.engine import begin_read, begin_write, open_engine
from lingxi.store.erasure import Forget, carry_out, list_erasures, request_erasure
from lingxi.store.files import explained
from lingxi.store.keyring import Keyring
from lingxi.store.lake import Lake
from lingxi.store.log import Log
from lingxi.store.projection import Projection
from lingxi.store.tables import metadata
from lingxi.store.tail import Tail
from lingxi.store.withdrawal import withdraw


class Store:
    """Everything that a shop keeps. Open it with ``Store.open``; close it when done."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        engine: Engine,
        keyring: Keyring,
        projections: Sequence[Projection],
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.engine = engine
        self.folder = settings.folder / "data"
        self.keyring = keyring
        self.projections = tuple(projections)
        self.log = Log(engine, self.projections)
        self.lake = Lake(engine, self.folder / "lake")
        self.artefacts = Artefacts(self.folder / "artefacts", clock)
        self._tail = Tail()

    @staticmethod
    def open(
        settings: Settings,
        clock: Clock,
        *,
        projections: Sequence[Projection] = (),
        tables: Sequence[MetaData] = (),
    ) -> "Store":
        """Open the store of a shop; with ``tables`` create what is missing of them and its own.

        Raises
        ------
        StoreUnavailable
            If folder or database cannot be used.
        MissingExtra
            If the settings name PostgreSQL and its driver is not installed.
        """
        folder: Path = settings.folder / "data"
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        timeout = settings.store.lock_timeout_seconds
        engine = open_engine(settings.database_url, lock_timeout_seconds=timeout)
        keyring = Keyring(settings.folder / "keys", lock_timeout_seconds=timeout)
        store = Store(settings, clock, engine, keyring, projections)
        if tables:
            store.create_tables(*tables)
        return store

    def create_tables(self, *metadatas: MetaData) -> None:
        """Create the store's own tables and those given, where they do not exist yet."""
        wanted = {name for each in (metadata, *metadatas) for name in each.tables}
        with begin_read(self.engine) as connection:
            if wanted <= set(inspect(connection).get_table_names()):
                return  # nothing to write, so no need to wait for those who do
        with begin_write(self.engine) as connection:
            for each in (metadata, *metadatas):
                each.create_all(connection)

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state of the database."""
        return begin_read(self.engine)

    def write(self, *, eager: bool = False) -> AbstractContextManager[Connection]:
        """A transaction that holds the write lock; it commits when the block ends well.

        ``eager`` is for the collector: it asks for the lock every 0.3 ms.
        """
        return begin_write(self.engine, eager=eager)

    @contextmanager
    def analytics(self, *, engine: Kind | None = None) -> Iterator[Analytics]:
        """A session over lake and tail as they are now, on DuckDB unless the settings say Spark."""
        kind: Kind = engine or ("spark" if self.settings.store.analytics == "spark" else "duckdb")
        place = self.lake.folder
        with open_analytics(self.engine, place, kind, self.settings, self._tail) as analytics:
            yield analytics

    def allocate(self, tx: Connection, name: str, n: int) -> range:
        """The next ``n`` numbers of a counter, none of them ever given out before."""
        return counters.allocate(tx, name, n)

    def rebuild(
        self, projections: Sequence[Projection], customers: Collection[int], tx: Connection
    ) -> None:
        """Fold these customers' events again, after their identity has changed."""
        projection.rebuild(tx, projections, customers)

    def withdraw(self, events: Collection[Event], tx: Connection) -> int:
        """Take events back that who told them no longer stands by; how many were there.

        They leave the log and the projections in ``tx``, analytics with it, and the lake's files at
        the next roll.
        """
        return withdraw(tx, self.projections, events)

    def forget(self, subjects: frozenset[int], *, rooms: Sequence[Forget] = ()) -> int:
        """Erase the persons behind these subjects, everywhere; the number of rows removed.

        ``rooms`` are the ``forget`` functions of the rooms above, run in the same transaction, and
        before the store removes its own rows. How it goes: ``lingxi.store.erasure``.
        """
        if not subjects:
            return 0
        return carry_out(self, request_erasure(self, subjects), rooms)

    def has_open_erasures(self) -> bool:
        """Whether a crash has left an erasure that ``finish_erasures`` is to carry out."""
        return any(not each.signed for each in list_erasures(self))

    def finish_erasures(self, *, rooms: Sequence[Forget] = (), again: bool = False) -> int:
        """Carry out erasures that a crash interrupted; with ``again`` all of them, as a restore
        must, for a backup brings back who was erased after it. The number carried out."""
        open_ones = [each for each in list_erasures(self) if again or not each.signed]
        for each in open_ones:
            carry_out(self, each, rooms)
        return len(open_ones)

    def close(self) -> None:
        """Let go of connections and files."""
        self.engine.dispose()
        self.keyring.close()
