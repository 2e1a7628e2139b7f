"""The lake: the log's past as Parquet, a folder for each day of arrival."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, delete, func, insert, select

from lingxi.schema import Event
from lingxi.store.codec import to_arrow
from lingxi.store.counters import allocate, peek, put
from lingxi.store.engine import begin_read, begin_write
from lingxi.store.files import explained, hash_file, locked, sync_file, sync_folder
from lingxi.store.log import count_events, log_position, read_events
from lingxi.store.progress import Progress, silent
from lingxi.store.tables import lake_file, withdrawn

CHUNK = 100_000
_COUNTER = "lake"


@dataclass(frozen=True)
class Rolled:
    """What a roll did; ``position`` is how far the lake reaches afterwards."""

    events: int
    rows: int
    files: int
    position: int


@dataclass(frozen=True)
class LakeFile:
    """One file of the lake: a day of arrival and the range of positions it was cut from."""

    path: str
    day: str
    first: int
    last: int
    rows: int
    sha256: str


class Lake:
    """Parquet files of ``EVENT_ROWS``, written once, rewritten only by an erasure and by the roll
    after a withdrawal.

    Which files belong to the lake stands in the table ``lake_file``, changed in one transaction
    with the lake's position; a file that a crash left behind belongs to nothing and is removed.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine = engine
        self.folder = folder

    @property
    def lock(self) -> Path:
        """Held by whoever changes which files there are: a roll, an erasure, a backup."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / ".lock"

    def roll(self, progress: Progress = silent) -> Rolled:
        """Bring the lake up to the end of the log."""
        with locked(self.lock):
            self._remove_strays()
            self._drop_withdrawn()
            with begin_read(self._engine) as connection:
                start, end = lake_position(connection), log_position(connection)
            return self._extend(start, end, progress)

    def roll_chunks(self) -> Rolled:
        """Bring whole chunks into the lake, and leave the files that are there alone: what standing
        work may do while others read them. Nothing, while there is less than a chunk."""
        with locked(self.lock):
            with begin_read(self._engine) as connection:
                start, end = lake_position(connection), log_position(connection)
            return self._extend(start, start + (end - start) // CHUNK * CHUNK, silent)

    def _extend(self, start: int, end: int, progress: Progress) -> Rolled:
        """Write the log's events past ``start`` up to ``end``; files appear chunk by chunk."""
        position, events, rows, files = start, 0, 0, 0
        while position < end:
            with begin_read(self._engine) as connection:
                chunk = read_events(connection, after=position, limit=CHUNK, upto=end)
            last = chunk[-1].position if chunk else end
            written = self._write_chunk(chunk, position + 1, last)
            with begin_write(self._engine) as connection:
                if count_events(connection, position, last) != len(chunk):
                    continue  # some were taken back meanwhile: the files are written once more
                record_files(connection, written)
                put(connection, _COUNTER, last)
            position = last
            events, files = events + len(chunk), files + len(written)
            rows += sum(file.rows for file in written)
            progress("lake", position - start, end - start)
        return Rolled(events, rows, files, position)

    def position(self) -> int:
        """The last position of the log that the lake holds."""
        with begin_read(self._engine) as connection:
            return lake_position(connection)

    def _write_chunk(self, chunk: Sequence[Event], first: int, last: int) -> list[LakeFile]:
        days: dict[date, list[Event]] = {}
        for event in chunk:
            days.setdefault(event.received_at.date(), []).append(event)
        return [
            self.write_file(f"day={day}/{first:012d}-{last:012d}.parquet", to_arrow(part))
            for day, part in days.items()
        ]

    def write_file(self, path: str, rows: pa.Table) -> LakeFile:
        """Put ``EVENT_ROWS`` at ``path``, whole; the file joins the lake when it is recorded."""
        place = self.folder / path
        draft = place.with_name(f".{place.name}.part")
        with explained(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, draft, **_encode(rows.schema))
            sync_file(draft)
            draft.replace(place)
            sync_folder(place.parent)
        day = place.parent.name.removeprefix("day=")
        first, last = (int(part) for part in place.name.split(".")[0].split("-"))
        return LakeFile(path, day, first, last, rows.num_rows, hash_file(place))

    def _drop_withdrawn(self) -> None:
        """Put files without withdrawn events in place of those that hold some."""
        with begin_read(self._engine) as connection:
            gone, files = list_withdrawn(connection), list_files(connection)
        if not gone:
            return
        with begin_write(self._engine) as connection:
            tag = allocate(connection, "lake_rewrite", 1)[0]
        wanted = pa.array(gone, pa.string())
        new, old = [], []
        for file in files:
            rows = pq.read_table(self.folder / file.path, partitioning=None)
            own = pc.is_in(rows["event_id"], value_set=wanted)
            if pc.any(own).as_py():
                old.append(file.path)
                rest = rows.filter(pc.invert(own))
                path = f"{file.path.split('.')[0]}.w{tag}.parquet"
                new += [self.write_file(path, rest)] if rest.num_rows else []
        with begin_write(self._engine) as connection:
            for path in old:
                connection.execute(delete(lake_file).where(lake_file.c.path == path))
            record_files(connection, new)
            for event_id in gone:
                connection.execute(delete(withdrawn).where(withdrawn.c.event_id == event_id))
        for path in old:
            (self.folder / path).unlink(missing_ok=True)

    def _remove_strays(self) -> None:
        with begin_read(self._engine) as connection:
            kept = {file.path for file in list_files(connection)}
        for place in self.folder.glob("day=*/*"):
            if place.relative_to(self.folder).as_posix() not in kept:
                place.unlink(missing_ok=True)


def _encode(schema: pa.Schema) -> dict[str, Any]:
    """How a file of the lake keeps each column, as the writer of Parquet is told.

    Whole numbers and moments grow with the rows or differ little: their differences are kept, a
    third of what a dictionary takes and read in a third of its time. Ids of events differ in their
    ends. Other texts repeat.
    """
    wide = [f.name for f in schema if f.type == pa.int64() or pa.types.is_timestamp(f.type)]
    ways = dict.fromkeys(wide, "DELTA_BINARY_PACKED") | {"event_id": "DELTA_BYTE_ARRAY"}
    texts = [name for name in schema.names if name not in ways]
    return {"compression": "zstd", "use_dictionary": texts, "column_encoding": ways}


def lake_position(connection: Connection) -> int:
    """How far the lake reaches, seen by this transaction."""
    return peek(connection, _COUNTER)


def list_files(connection: Connection) -> list[LakeFile]:
    """The files of the lake seen by this transaction, in order of position."""
    query = select(lake_file).order_by(lake_file.c.first, lake_file.c.path)
    return [LakeFile(**row) for row in connection.execute(query).mappings()]


def list_withdrawn(connection: Connection) -> list[str]:
    """Events that were taken back and that files of the lake still hold."""
    return list(connection.execute(select(withdrawn.c.event_id)).scalars())


def record_files(connection: Connection, files: Sequence[LakeFile]) -> None:
    """Make files part of the lake."""
    if files:
        connection.execute(insert(lake_file), [vars(file) for file in files])


def count_rows(connection: Connection) -> int:
    """Rows in the lake, seen by this transaction."""
    query = select(func.coalesce(func.sum(lake_file.c.rows), 0))
    return int(connection.execute(query).scalar_one())
