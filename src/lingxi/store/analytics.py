"""Analytics: lake and tail as one table of events, in one consistent state, through Ibis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine, Select, Table, select

from lingxi.config import Settings
from lingxi.store.abreast import Abreast, Answer, Item, read_abreast
from lingxi.store.arrow_state import read_columns, read_ids, read_table
from lingxi.store.lake import lake_position, list_files, list_withdrawn
from lingxi.store.tables import identity
from lingxi.store.tail import Tail

if TYPE_CHECKING:  # Ibis takes a second to import: paid for by those who ask a question
    import ibis
    from ibis.backends import BaseBackend

Kind = Literal["duckdb", "spark"]


class Session(Protocol):
    """An analytics engine: DuckDB or Spark."""

    @property
    def backend(self) -> BaseBackend:
        """The Ibis connection."""

    def register(self, name: str, table: pa.Table) -> ibis.Table:
        """A table of the session from Arrow, in place of an earlier one of this name."""

    def read_lake(self, files: Sequence[str]) -> ibis.Table:
        """Parquet files of ``EVENT_ROWS`` as one table."""

    def to_arrow(self, expr: ibis.Table) -> pa.Table:
        """Run an expression."""

    def settle(self, expr: ibis.Table) -> ibis.Table:
        """The same rows, for what is built on them; worked out now where that helps the engine."""

    def close(self) -> None:
        """Let go of what the session holds."""


class Analytics:
    """One session over a single state of the log, the lake and the state tables.

    ``events`` has the columns of ``EVENT_ROWS`` and two more: ``customer`` (int64, nothing for an
    anonymous basket) and ``known`` (bool: does the shop know them by an id of its own?).
    ``rows`` are the events without these, and ``people`` the state table ``identity``: for sums
    that are cheaper by surrogate first.
    """

    def __init__(
        self,
        session: Session,
        events: ibis.Table,
        parts: tuple[ibis.Table, ibis.Table],
        state: Abreast,
        settings: Settings,
        identities: pa.Table | None = None,
    ) -> None:
        self.connection: BaseBackend = session.backend
        self._session = session
        self.events = events
        self.rows, self.people = parts
        self.settings = settings
        self._state = state
        self._identities = identities

    @property
    def identities(self) -> pa.Table:
        """``people`` as Arrow, as it was read."""
        if self._identities is None:
            self._identities = self.to_arrow(self.people)
        return self._identities

    @property
    def transaction(self) -> Connection:
        """The read transaction that sees the state tables as of the events."""
        return self._state.first

    def ask_state(
        self, do: Callable[[Connection, Item], Answer], items: Sequence[Item]
    ) -> list[Answer]:
        """``do`` for each item with a transaction such as ``transaction``, several at once."""
        return self._state.ask(do, items)

    def state(self, table: Table) -> ibis.Table:
        """A state table, in the same state as the events."""
        return self.register(f"state_{table.name}", read_table(self.transaction, table))

    def register(self, name: str, table: pa.Table) -> ibis.Table:
        """Bring an Arrow table into the session, in place of an earlier one of this name."""
        return self._session.register(name, table)

    def to_arrow(self, expr: ibis.Table) -> pa.Table:
        """Run an expression; the rows come as Arrow, in no particular order unless it sorts."""
        return self._session.to_arrow(expr)

    def settle(self, expr: ibis.Table) -> ibis.Table:
        """A step of a longer question: Spark works it out on its own, for its optimiser fails on
        plans that join many passes over the same files; DuckDB takes the question as a whole."""
        return self._session.settle(expr)


@contextmanager
def open_analytics(
    engine: Engine, lake_folder: Path, kind: Kind, settings: Settings, end: Tail
) -> Iterator[Analytics]:
    """A session over the lake's files and the tail of the log, both of one moment."""
    with read_abreast(engine) as state:
        tx = state.first
        files = [str(lake_folder / file.path) for file in list_files(tx)]
        tail = end.read(tx, lake_position(tx))
        people = read_people(state)
        gone = list_withdrawn(tx)
        with _start(kind, lake_folder.parent / "tmp") as session:
            rows = session.register("tail", tail)
            if files:
                past = session.read_lake(files)
                if gone:
                    ids = pa.table({"event_id": pa.array(gone, pa.string())})
                    past = past.anti_join(session.register("withdrawn", ids), "event_id")
                rows = past.union(rows, distinct=False)
            owners = session.register("identity", people)
            joined = join_identity(rows, owners)
            session.backend.create_view("events", joined, overwrite=True)
            events = session.backend.table("events")
            yield Analytics(session, events, (rows, owners), state, settings, people)


def read_people(state: Abreast) -> pa.Table:
    """The state table ``identity``, by column: it has a row for every surrogate there is.

    Nearly all surrogates are their own customer: of these only the numbers are read.
    """
    c = identity.c
    own = c.customer == c.subject
    kinds = [select(c.subject).where(own, flag) for flag in (c.known, ~c.known)]
    rest = select(*identity.columns).where(~own)

    def read(tx: Connection, query: Select[Any]) -> list[Any]:
        return read_columns(tx, query) if query is rest else [read_ids(tx, query)]

    (known,), (unknown,), (moved, owner, flag) = state.ask(read, [*kinds, rest])
    flags = [np.ones(len(known), np.bool_), np.zeros(len(unknown), np.bool_)]
    flags.append(np.array(flag, np.bool_))  # SQLite keeps 0 and 1
    columns = {
        "subject": np.concatenate([known, unknown, np.array(moved, np.int64)]),
        "customer": np.concatenate([known, unknown, np.array(owner, np.int64)]),
        "known": np.concatenate(flags),
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def join_identity(rows: ibis.Table, people: ibis.Table) -> ibis.Table:
    """Add ``customer`` and ``known``; a subject without identity is its own, unknown customer."""
    import ibis

    people = people.rename(identity_subject="subject")
    joined = rows.left_join(people, rows.subject == people.identity_subject)
    return joined.mutate(
        customer=ibis.coalesce(joined.customer, joined.subject),
        known=ibis.coalesce(joined.known, ibis.literal(False)),
    ).drop("identity_subject")


@contextmanager
def _start(kind: Kind, scratch: Path) -> Iterator[Session]:
    session: Session
    if kind == "spark":
        from lingxi.store.spark import SparkSession

        session = SparkSession()
    else:
        from lingxi.store.duck import DuckDBSession

        session = DuckDBSession(scratch)
    try:
        yield session
    finally:
        session.close()
