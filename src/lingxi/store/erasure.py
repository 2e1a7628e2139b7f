"""Erasure: what a person left behind goes, in an order that a crash cannot turn into a lie.

1. The request is recorded, durably, beside the keys: outside backups, so that a restore replays it.
2. Files of the lake without the person are written beside the old ones.
3. One transaction: the rooms' rows, projections, log rows, the change of lake files, identity last.
4. The old files go, the person's rows in every kept artefact, and their key.
5. The write-ahead log is emptied, so that no deleted row survives in it. Only now it is signed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, Table, delete, insert, select, text
from sqlalchemy import update as sql_update

from lingxi.errors import StoreBusy
from lingxi.store import projection
from lingxi.store.counters import allocate
from lingxi.store.engine import begin_read, begin_write, empty_wal
from lingxi.store.files import locked
from lingxi.store.keyring import erasure
from lingxi.store.lake import LakeFile, list_files, record_files
from lingxi.store.tables import event, identity, lake_file

if TYPE_CHECKING:
    from lingxi.store.store import Store

Forget = Callable[[Connection, frozenset[int]], int]
"""A room's own ``forget(tx, customers)``: removes their rows, answers how many."""
_PART = 500
T = TypeVar("T", int, str)


@dataclass(frozen=True)
class Erasure:
    """A recorded request; surrogates only, which lead to nobody once it is done."""

    id: int
    subjects: frozenset[int]
    customers: frozenset[int]
    signed: bool


def resolve(
    connection: Connection, subjects: frozenset[int]
) -> tuple[frozenset[int], frozenset[int]]:
    """All subjects, and the customers, that belong to the persons behind ``subjects``."""
    customers = set(projection.find_customers(connection, subjects).values()) | subjects
    everyone = set(customers)
    for part in _parts(customers):
        query = select(identity.c.subject).where(identity.c.customer.in_(part))
        everyone.update(connection.execute(query).scalars())
    return frozenset(everyone), frozenset(customers)


def request_erasure(store: "Store", subjects: frozenset[int]) -> Erasure:
    """Record that these persons are to be forgotten, before anything is removed."""
    with begin_read(store.engine) as connection:
        everyone, customers = resolve(connection, subjects)
    row = {
        "requested_at": store.clock.now(),
        "subjects": msgspec.json.encode(sorted(everyone)).decode(),
        "customers": msgspec.json.encode(sorted(customers)).decode(),
    }
    with begin_write(store.keyring.engine) as connection:
        key = connection.execute(insert(erasure).values(row)).inserted_primary_key
    return Erasure(0 if key is None else key[0], everyone, customers, signed=False)


def list_erasures(store: "Store") -> list[Erasure]:
    """All requests ever recorded, oldest first."""
    with begin_read(store.keyring.engine) as connection:
        rows = connection.execute(select(erasure).order_by(erasure.c.id)).mappings().all()
    decode = msgspec.json.Decoder(frozenset[int]).decode
    return [
        Erasure(r["id"], decode(r["subjects"]), decode(r["customers"]), r["signed_at"] is not None)
        for r in rows
    ]


def carry_out(store: "Store", request: Erasure, rooms: Sequence[Forget]) -> int:
    """Remove everything of a request, then sign it. Doing it again does no harm.

    Returns
    -------
    int
        Rows removed from the log, the projections and the rooms.
    """
    with locked(store.lake.lock):
        rewritten = _rewrite_lake(store, request)
        with begin_write(store.engine) as tx:
            removed = sum(room(tx, request.customers) for room in rooms)
            removed += _remove_rows(store, tx, request)
            gone = [old.path for old, _ in rewritten]
            for part in _parts(gone):
                tx.execute(delete(lake_file).where(lake_file.c.path.in_(part)))
            record_files(tx, [new for _, new in rewritten if new is not None])
        for path in gone:
            (store.lake.folder / path).unlink(missing_ok=True)
        store.artefacts.forget(request.customers, request.id)
        store.keyring.destroy(request.customers | request.subjects)
        scrub(store.engine)
    with begin_write(store.keyring.engine) as connection:
        done = sql_update(erasure).where(erasure.c.id == request.id)
        connection.execute(done.values(signed_at=store.clock.now()))
    return removed


def _rewrite_lake(store: "Store", request: Erasure) -> list[tuple[LakeFile, LakeFile | None]]:
    with begin_read(store.engine) as connection:
        files = list_files(connection)
    wanted = pa.array(sorted(request.subjects), pa.int64())
    rewritten: list[tuple[LakeFile, LakeFile | None]] = []
    for file in files:
        place = store.lake.folder / file.path
        subjects = pq.read_table(place, columns=["subject"], partitioning=None)["subject"]
        own = pc.is_in(subjects, value_set=wanted)
        if not pc.any(own).as_py():
            continue
        rest = pq.read_table(place, partitioning=None).filter(pc.invert(own))
        path = f"{file.path.split('.')[0]}.{request.id}.parquet"
        rewritten.append((file, store.lake.write_file(path, rest) if rest.num_rows else None))
    return rewritten


def _remove_rows(store: "Store", tx: Connection, request: Erasure) -> int:
    """Projections, log rows and identity. A later merge may have given a subject to someone else:
    that customer's projections are folded again without it."""
    removed = 0
    allocate(tx, projection.REBUILT, 1)
    owners = set(projection.find_customers(tx, request.subjects).values())
    for each in store.projections:
        removed += _delete(tx, each.table, "customer", request.customers)
    removed += _delete(tx, event, "subject", request.subjects)
    _delete(tx, identity, "subject", request.subjects)
    if others := owners - request.customers - request.subjects:
        projection.rebuild(tx, store.projections, others)
    return removed


def _delete(tx: Connection, table: Table, column: str, values: frozenset[int]) -> int:
    return sum(
        tx.execute(delete(table).where(table.c[column].in_(part))).rowcount
        for part in _parts(values)
    )


def _parts(values: Iterable[T]) -> list[list[T]]:
    every = sorted(values)
    return [every[start : start + _PART] for start in range(0, len(every), _PART)]


def scrub(engine: Engine) -> None:
    """Leave no deleted row in the database's files.

    SQLite overwrites deleted rows (``secure_delete``); here its write-ahead log is emptied too.
    PostgreSQL is vacuumed; what its own archive of write-ahead logs keeps is the operator's.

    Raises
    ------
    StoreBusy
        If a read keeps the write-ahead log in use for longer than the lock timeout.
    """
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM"))
        return
    if empty_wal(engine):
        return
    raise StoreBusy(
        "The erasure is done but not signed: another process is still reading the old state. "
        "It is completed at the next start, or when it is asked for again."
    )
