"""How far the import of a file has come, so that one that broke off goes on where it stopped."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.files.tally import Tally
from lingxi.ingest.options import ImportOptions
from lingxi.ingest.runs import next_import_id
from lingxi.ingest.tables import customer_line, import_file
from lingxi.store import Store
from lingxi.store.files import hash_file
from lingxi.store.keyed import select_by_keys, upsert

_TALLY = msgspec.json.Decoder(Tally)


class FileRun(msgspec.Struct, frozen=True):
    """One run over one file: ``done`` units of it are in the log, ``times`` it was finished."""

    key: str
    import_id: str
    started_at: datetime
    done: int
    times: int
    tally: Tally


class Mark(msgspec.Struct, frozen=True):
    """What a customer's line said last, as a hash, and how often it has changed."""

    content: str
    version: int


def name_run(path: Path, kind: str, options: ImportOptions) -> str:
    """A name for the content of a file and how it is read."""
    said = msgspec.json.encode(options, order="sorted")
    content = hash_file(path).encode()
    return hashlib.blake2b(b"\0".join((kind.encode(), content, said)), digest_size=20).hexdigest()


def open_run(store: Store, key: str, now: datetime) -> FileRun:
    """The run that broke off, or a new one."""
    table = import_file
    with store.write() as tx:
        row = tx.execute(sa.select(table).where(table.c.key == key)).one_or_none()
        if row is not None and row.finished_at is None:
            tally = _TALLY.decode(row.tally)
            return FileRun(key, row.import_id, row.started_at, row.done, row.times, tally)
        run = FileRun(
            key, next_import_id(store, tx), now, 0, 0 if row is None else row.times, Tally()
        )
        put_run_state(tx, run)
    return run


def put_run_state(tx: Connection, run: FileRun, finished_at: datetime | None = None) -> None:
    """Note how far a run is; with ``finished_at`` that it has come to its end."""
    row = {
        "key": run.key,
        "import_id": run.import_id,
        "started_at": run.started_at,
        "done": run.done,
        "times": run.times,
        "tally": msgspec.json.encode(run.tally),
        "finished_at": finished_at,
    }
    upsert(tx, import_file, [row])


def read_marks(tx: Connection, keys: Sequence[str]) -> dict[str, Mark]:
    """The marks of these customers (keyed hashes), where they have one."""
    table = customer_line
    wanted = [(key,) for key in keys]
    query = select_by_keys(tx, [table.c.sealed], wanted, list(table.c))
    return {row.sealed: Mark(row.content, row.version) for row in tx.execute(query)}


def put_marks(tx: Connection, marks: dict[str, Mark]) -> None:
    """Keep the marks of customers whose lines were taken."""
    rows = [
        {"sealed": key, "content": mark.content, "version": mark.version}
        for key, mark in marks.items()
    ]
    upsert(tx, customer_line, rows)


def forget_marks(tx: Connection, seals: Sequence[str]) -> int:
    """Remove what is remembered of these persons' lines (keyed hashes). Rows removed."""
    own = customer_line.c.sealed.in_(list(seals))
    return tx.execute(sa.delete(customer_line).where(own)).rowcount
