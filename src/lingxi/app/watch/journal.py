"""What came in from watched folders, kept for the page of sources."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.app.watch.arrivals import DONE, FAILED, Look
from lingxi.ingest.tables import watched_file, watched_folder
from lingxi.store.keyed import upsert

KEEP = timedelta(days=90)
REPORT = ".report.json"


class FolderRow(msgspec.Struct, frozen=True):
    """A watched folder: when it was looked at last, how many files wait in it, what is wrong."""

    folder: str
    looked_at: datetime
    waiting: int
    error: str | None


class FileRow(msgspec.Struct, frozen=True):
    """A file that came in, or could not: ``result`` is ``done`` or ``failed``."""

    folder: str
    name: str
    subject: str
    at: datetime
    result: str
    import_id: str | None = None
    lines_in: int = 0
    lines_kept: int = 0
    events_new: int = 0
    error: str | None = None


def put_folder(tx: Connection, row: FolderRow) -> None:
    """Note that a folder was looked at."""
    upsert(tx, watched_folder, [msgspec.structs.asdict(row)])


def put_file(tx: Connection, row: FileRow, look: Look) -> None:
    """Note what became of a file; the same file again takes its own row's place."""
    name = f"{row.folder}\0{row.name}\0{look.size}\0{look.changed}"
    key = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:40]
    upsert(tx, watched_file, [{"key": key, **msgspec.structs.asdict(row)}])
    tx.execute(sa.delete(watched_file).where(watched_file.c.at < row.at - KEEP))


def list_folders(tx: Connection) -> Sequence[FolderRow]:
    """Watched folders, the one looked at last first."""
    query = sa.select(watched_folder).order_by(watched_folder.c.looked_at.desc())
    return [FolderRow(*row) for row in tx.execute(query)]


def list_files(tx: Connection, *, n: int = 20) -> Sequence[FileRow]:
    """The files that came in last, newest first."""
    columns = [watched_file.c[name] for name in FileRow.__struct_fields__]
    query = sa.select(*columns).order_by(watched_file.c.at.desc(), watched_file.c.key).limit(n)
    return [FileRow(*row) for row in tx.execute(query)]


def count_left(tx: Connection) -> dict[str, int]:
    """Files that came in and still lie in ``done/`` and ``failed/``, by watched folder.

    They are the shop's own, and whoever is erased stands in them still.
    """
    left = {}
    for row in list_folders(tx):
        folder = Path(row.folder)
        files = [file for name in (DONE, FAILED) for file in (folder / name).rglob("*")]
        n = sum(file.is_file() and not file.name.endswith(REPORT) for file in files)
        if n:
            left[row.folder] = n
    return left


def show_path(path: Path) -> str:
    """A path as text that any database and terminal takes."""
    return str(path).encode("utf-8", "replace").decode()
