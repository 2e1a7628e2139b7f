"""Rows added to the rows that are there, by the database: no row is read first."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import compress

from sqlalchemy import ColumnElement, Connection, Dialect, Table, case
from sqlalchemy.dialects import sqlite

from lingxi.store.keyed import execute_rows, insert_columns
from lingxi.store.tables import driver_type

Columns = Mapping[str, ColumnElement[object]]
Merge = Callable[[Columns, Columns], Columns]
"""From the columns of the old row and those of the new to what the kept row's become."""
Ask = Callable[[Columns, Columns], ColumnElement[bool]]
"""Whether the old row changes at all, from the columns of both."""
Row = Sequence[object]
"""A row in the order of its table's columns, in the forms that the driver keeps."""


def add_rows(
    connection: Connection,
    table: Table,
    merge: Merge,
    rows: Sequence[Row],
    *,
    only: Ask | None = None,
) -> None:
    """Insert rows; where the primary key exists, keep what ``merge`` makes of old and new.

    Keys are distinct. An indexed column whose new value is nothing is left out of the statement:
    naming it would cost a change of its index. With ``only`` a row of which it does not hold stays
    as it is, and costs no writing: for tables where most do.
    """
    if not rows:
        return
    for idle, group in _group(rows, _find_indexed(table, merge)).items():
        if connection.dialect.name == "sqlite":
            compiled = _compile(connection.dialect, table, merge, idle, only)
            execute_rows(connection, compiled, [tuple(row) for row in group])
        else:
            _add_on_postgres(connection, table, merge, idle, group, only)


def _group(
    rows: Sequence[Row], indexed: Sequence[tuple[str, int]]
) -> Mapping[tuple[str, ...], Sequence[Row]]:
    """The rows by the indexed columns of which they say nothing."""
    if not indexed:
        return {(): rows}
    names, places = zip(*indexed, strict=True)
    groups: dict[tuple[bool, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple([row[place] is None for place in places]), []).append(row)
    return {tuple(compress(names, lacks)): group for lacks, group in groups.items()}


def add_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose primary key exists stays as it is."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        text = _compile_new(connection.dialect, table)
        execute_rows(connection, text, [tuple(row) for row in rows])
        return
    names = [column.name for column in table.columns]
    kinds = [driver_type(column.type) for column in table.columns]
    statement = insert_columns(table, names, list(zip(*rows, strict=True)), kinds)
    keys = list(table.primary_key.columns)
    connection.execute(statement.on_conflict_do_nothing(index_elements=keys))


def least(old: ColumnElement[object], new: ColumnElement[object]) -> ColumnElement[object]:
    """The smaller of two values; one that is nothing does not count."""
    return case((old.is_(None) | (new < old), new), else_=old)


def greatest(old: ColumnElement[object], new: ColumnElement[object]) -> ColumnElement[object]:
    """The greater of two values; one that is nothing does not count."""
    return case((old.is_(None) | (new > old), new), else_=old)


@lru_cache(maxsize=64)
def _find_indexed(table: Table, merge: Merge) -> Sequence[tuple[str, int]]:
    """Names and places of the merged columns that an index holds."""
    held = {column.name for index in table.indexes for column in index.columns}
    own = dict(table.c.items())
    names = held & set(merge(own, own))
    return [(column.name, i) for i, column in enumerate(table.columns) if column.name in names]


@lru_cache(maxsize=64)
def _compile_new(dialect: Dialect, table: Table) -> str:
    statement = sqlite.insert(table).on_conflict_do_nothing(
        index_elements=list(table.primary_key.columns)
    )
    return str(statement.compile(dialect=dialect, column_keys=[c.name for c in table.columns]))


@lru_cache(maxsize=256)
def _compile(
    dialect: Dialect, table: Table, merge: Merge, idle: tuple[str, ...], only: Ask | None
) -> str:
    statement = sqlite.insert(table)
    old, new = dict(table.c.items()), dict(statement.excluded.items())
    statement = statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: value for name, value in merge(old, new).items() if name not in idle},
        where=None if only is None else only(old, new),
    )
    return str(statement.compile(dialect=dialect, column_keys=[c.name for c in table.columns]))


def _add_on_postgres(
    connection: Connection,
    table: Table,
    merge: Merge,
    idle: tuple[str, ...],
    rows: Sequence[Row],
    only: Ask | None,
) -> None:
    names = [column.name for column in table.columns]
    kinds = [driver_type(column.type) for column in table.columns]
    statement = insert_columns(table, names, list(zip(*rows, strict=True)), kinds)
    old, new = dict(table.c.items()), dict(statement.excluded.items())
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={name: value for name, value in merge(old, new).items() if name not in idle},
            where=None if only is None else only(old, new),
        )
    )
