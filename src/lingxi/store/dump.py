"""The state database as files: a copy of SQLite's own, or PostgreSQL's tables as Parquet."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    select,
)
from sqlalchemy.pool import NullPool

from lingxi.errors import Conflict, FileUnreadable
from lingxi.store.arrow_state import arrow_type
from lingxi.store.engine import begin_read, begin_write, copy_sqlite
from lingxi.store.files import explained
from lingxi.store.lake import LakeFile, list_files
from lingxi.store.log import log_position

STATE_FILE = "state.sqlite"
TABLES_FOLDER = "tables"
_ROWS = 20_000
_LARGE = {"id_run": 50}
"""Tables whose rows are large: so many at once."""


def dump_state(engine: Engine, folder: Path) -> tuple[list[LakeFile], int]:
    """Write the state of one moment into ``folder`` while writers go on.

    Returns
    -------
    tuple
        The files of the lake and the position of the log at that moment.
    """
    if engine.dialect.name == "sqlite":
        place = folder / STATE_FILE
        with explained(place):
            copy_sqlite(engine, place)
        copy = create_engine(f"sqlite:///{place}", poolclass=NullPool)
        with copy.connect() as connection:
            return list_files(connection), log_position(connection)
    with begin_read(engine) as connection:
        files, position = list_files(connection), log_position(connection)
        schema = MetaData()
        schema.reflect(connection)
        (folder / TABLES_FOLDER).mkdir()
        for table in schema.sorted_tables:
            _dump_table(connection, table, folder / TABLES_FOLDER / f"{table.name}.parquet")
    return files, position


def _dump_table(connection: Connection, table: Table, place: Path) -> None:
    schema = pa.schema([pa.field(c.name, arrow_type(c)) for c in table.columns])
    texts = [isinstance(c.type, JSON) for c in table.columns]
    most = _LARGE.get(table.name, _ROWS)
    result = connection.execution_options(yield_per=most).execute(select(table))
    with explained(place), pq.ParquetWriter(place, schema, compression="zstd") as writer:
        for rows in result.partitions(most):
            columns = zip(*rows, strict=True)
            values = [
                [None if v is None else json.dumps(v) for v in column] if text else column
                for column, text in zip(columns, texts, strict=True)
            ]
            arrays = [pa.array(v, type=f.type) for v, f in zip(values, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def load_state(engine: Engine, folder: Path, metadatas: Sequence[MetaData]) -> None:
    """Put dumped tables into an empty PostgreSQL, whose tables ``metadatas`` describe.

    Raises
    ------
    Conflict
        If the database holds events already.
    FileUnreadable
        If the dump holds a table that none of them describes, with rows in it.
    """
    known = {name: table for m in metadatas for name, table in m.tables.items()}
    version = Table("alembic_version", MetaData(), Column("version_num", String(32)))
    known.setdefault("alembic_version", version)
    with begin_write(engine) as connection:
        for metadata in {id(t.metadata): t.metadata for t in known.values()}.values():
            metadata.create_all(connection)
        if log_position(connection):
            raise Conflict(
                "The database named by store.url holds a shop already; name an empty database."
            )
        rooms = {id(m): m for m in metadatas}.values()
        order = [t for m in rooms for t in m.sorted_tables] + [known["alembic_version"]]
        for table in reversed(order):
            connection.execute(delete(table))
        dumped = {p.stem: p for p in sorted((folder / TABLES_FOLDER).glob("*.parquet"))}
        if strange := [n for n in dumped if n not in known and _count(dumped[n])]:
            raise FileUnreadable(
                f"The backup holds tables that this version does not know: {', '.join(strange)}. "
                "Restore it with the version of Lingxi that made it."
            )
        for table in order:
            if table.name in dumped:
                for rows in _read_rows(dumped[table.name], table):
                    connection.execute(_plain(table).insert(), rows)
                _move_sequence(connection, table)


def _move_sequence(connection: Connection, table: Table) -> None:
    """Let a self-numbering column go on after the rows that were put back."""
    column = table.autoincrement_column
    if column is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        last = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
        connection.execute(select(func.setval(sequence, last, False)))


def _plain(table: Table) -> Table:
    """The table with the database's own types: the dump holds them, not what code makes of them."""
    columns = [Column(c.name, getattr(c.type, "impl_instance", c.type)) for c in table.columns]
    return Table(table.name, MetaData(), *columns)


def _read_rows(place: Path, table: Table) -> Iterator[list[dict[str, object]]]:
    texts = [c.name for c in table.columns if isinstance(c.type, JSON)]
    with pq.ParquetFile(place) as file:
        for batch in file.iter_batches(_LARGE.get(table.name, _ROWS)):
            rows: list[dict[str, object]] = batch.to_pylist()
            for row in rows:
                for name in texts:
                    row[name] = None if row[name] is None else json.loads(str(row[name]))
            yield rows


def _count(place: Path) -> int:
    return int(pq.read_metadata(place).num_rows)
