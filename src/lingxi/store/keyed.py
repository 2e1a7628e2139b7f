"""Many rows by key in one query, and many rows written in one statement."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Insert,
    Select,
    Table,
    and_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

Key = tuple[int | str, ...]


def select_by_keys(
    connection: Connection,
    columns: Sequence[Column[object]],
    keys: Collection[Key],
    wanted: Iterable[ColumnElement[object] | Table],
) -> Select[Any]:
    """A query for the rows whose ``columns`` equal one of ``keys``; the keys travel as one value.

    A list of a thousand bound parameters costs more to prepare than the look-ups themselves.
    """
    rows = list(keys)
    if connection.dialect.name == "sqlite":
        source = func.json_each(bindparam("keys", msgspec.json.encode(rows).decode())).table_valued(
            column("value"), name="k"
        )
        parts: list[ColumnElement[object]] = [
            func.json_extract(source.c.value, f"$[{i}]") for i in range(len(columns))
        ]
    else:
        arrays = [
            bindparam(f"keys_{i}", [row[i] for row in rows], type_=postgresql.ARRAY(c.type))
            for i, c in enumerate(columns)
        ]
        names = [column(f"k{i}", c.type) for i, c in enumerate(columns)]
        source = func.unnest(*arrays).table_valued(*names, name="k").render_derived()
        parts = [source.c[f"k{i}"] for i in range(len(columns))]
    match = and_(*(c == part for c, part in zip(columns, parts, strict=True)))
    return select(*wanted).select_from(source.join(columns[0].table, match))


def insert_or_ignore(connection: Connection, table: Table) -> Insert:
    """An insert that leaves existing rows as they are."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, or replace all their columns where the primary key exists already."""
    if not rows:
        return
    keys = list(table.primary_key.columns)
    others = [c.name for c in table.columns if c.name in rows[0] and not c.primary_key]
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = build(table)
    if others:
        statement = statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in others}
        )
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    connection.execute(statement, [dict(row) for row in rows])
