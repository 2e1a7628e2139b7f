"""Many rows by key in one query, and many rows written in one statement."""

import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NoReturn

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Insert,
    Select,
    String,
    Table,
    Update,
    and_,
    bindparam,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from lingxi.errors import StoreUnavailable
from lingxi.store.engine import check_transaction

Key = tuple[int | str, ...]
Change = Insert | Update | Delete
Processor = Callable[[Any], Any] | None
_ONE_ROW = re.compile(r"\bVALUES (\(\?(?:, \?)*\))")
_MOST_AT_ONCE, _FEW = 16, 8
"""Rows of one statement: as many as there are up to eight, else sixteen or eight, so that the
driver meets the same few texts again."""
_decode_texts = msgspec.json.Decoder(list[str]).decode


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


def fetch_by_keys(
    connection: Connection,
    columns: Sequence[Column[Any]],
    keys: Collection[Key],
    wanted: Sequence[Column[Any]],
    *,
    only: ColumnElement[bool] | None = None,
    among: tuple[Column[Any], Collection[str]] | None = None,
) -> list[tuple[Any, ...]]:
    """The rows whose ``columns`` equal one of ``keys``, their values as the driver keeps them;
    with ``among`` only those whose text in its column is one of its values.

    Like ``select_by_keys``, without SQLAlchemy's work for every query and every row; on SQLite it
    is a query for each beginning of a key, so let the last column be the one that differs most.
    ``only`` is what an index on a part of the table asks for.
    """
    if not keys:
        return []
    if connection.dialect.name != "sqlite":
        query = select_by_keys(connection, columns, keys, wanted)
        query = query if only is None else query.where(only)
        if among is not None:
            query = query.where(among[0].in_(sorted(among[1])))
        return [tuple(row) for row in connection.execute(query)]
    texts = None if among is None else among[0]
    compiled = _compile_fetch(connection.dialect, tuple(columns), tuple(wanted), only, texts)
    groups: dict[Key, list[int | str]] = {}
    for key in keys:
        groups.setdefault(key[:-1], []).append(key[-1])
    rest = () if among is None else (msgspec.json.encode(sorted(among[1])).decode(),)
    rows: list[tuple[Any, ...]] = []
    raw: Any = connection.connection.driver_connection
    for first, last in groups.items():
        parameters = (*first, msgspec.json.encode(last).decode(), *rest)
        try:
            rows += raw.execute(compiled, parameters).fetchall()
        except sqlite3.Error:
            connection.exec_driver_sql(compiled, parameters)  # fails again, in words that say why
            raise
    return rows


def fetch_typed(
    connection: Connection,
    columns: Sequence[Column[Any]],
    keys: Collection[Key],
    wanted: Sequence[Column[Any]],
    *,
    only: ColumnElement[bool] | None = None,
) -> list[tuple[Any, ...]]:
    """As ``fetch_by_keys``, the values as SQLAlchemy reads them: moments, booleans."""
    rows = fetch_by_keys(connection, columns, keys, wanted, only=only)
    if connection.dialect.name != "sqlite":
        return rows
    processors = _find_readers(connection.dialect, tuple(wanted))
    if not rows or not any(processors):
        return rows
    parts = zip(processors, zip(*rows, strict=True), strict=True)
    return list(zip(*(_convert(p, list(part)) for p, part in parts), strict=True))


@lru_cache(maxsize=256)
def _find_readers(dialect: Dialect, wanted: tuple[Column[Any], ...]) -> list[Processor]:
    kinds = [column.type.dialect_impl(dialect) for column in wanted]
    return [kind.result_processor(dialect, None) for kind in kinds]


@lru_cache(maxsize=256)
def _compile_fetch(
    dialect: Dialect,
    columns: tuple[Column[Any], ...],
    wanted: tuple[Column[Any], ...],
    only: ColumnElement[bool] | None,
    among: Column[Any] | None,
) -> str:
    """The rows with one value in each column but the last, and there any of a JSON list."""
    *first, last = columns
    listed = func.json_each(bindparam("last", type_=String)).table_valued(column("value"))
    match: list[ColumnElement[bool]] = [c == bindparam(c.name) for c in first]
    if only is not None:
        match.append(only)
    query = select(*wanted).where(*match, last.in_(select(listed.c.value)))
    if among is not None:
        values = func.json_each(bindparam("among", type_=String)).table_valued(column("value"))
        query = query.where(among.in_(select(values.c.value)))
    return str(query.compile(dialect=dialect))


def fetch_texts(
    connection: Connection, key: Column[int], keys: Collection[int], wanted: Column[str]
) -> dict[int, list[str]]:
    """The texts of a column by a key, for each of ``keys`` that has any.

    SQLite hands over those of a key as one JSON list: less than half the work of a row each.
    """
    found: dict[int, list[str]] = {}
    if connection.dialect.name != "sqlite":
        for owner, text in fetch_by_keys(connection, [key], [(k,) for k in keys], [key, wanted]):
            found.setdefault(owner, []).append(text)
        return found
    rows = connection.exec_driver_sql(
        _compile_texts(connection.dialect, key, wanted),
        (msgspec.json.encode(list(keys)).decode(),),
    )
    return {owner: _decode_texts(texts) for owner, texts in rows.all()}


@lru_cache(maxsize=64)
def _compile_texts(dialect: Dialect, key: Column[int], wanted: Column[str]) -> str:
    listed = func.json_each(bindparam("keys", type_=String)).table_valued(column("value"))
    query = select(key, func.json_group_array(wanted)).group_by(key)
    return str(query.where(key.in_(select(listed.c.value))).compile(dialect=dialect))


def insert_or_ignore(
    connection: Connection,
    table: Table,
    *,
    key: Column[Any] | None = None,
    only: ColumnElement[bool] | None = None,
) -> Insert:
    """An insert that leaves existing rows as they are: those with the same ``key``, or any.

    ``only`` is the condition of a key that holds for a part of the table.
    """
    keys = None if key is None else [key]
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing(index_elements=keys, index_where=only)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, or replace the columns named where the primary key exists already.

    All rows name the same columns.
    """
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        names = _find_named(table, tuple(rows[0]))
        keys = [column.name for column in table.primary_key.columns]
        unique = {tuple(row[key] for key in keys): row for row in rows}  # the last one counts
        values = [[row[name] for row in unique.values()] for name in names]
        connection.execute(_add_conflict(insert_columns(table, names, values), table, names))
        return
    # the driver takes tuples: SQLAlchemy's work per row costs more than the insert itself
    compiled, processors = _compile_upsert(connection.dialect, table, tuple(rows[0]))
    tuples = zip(*(_convert(p, [row[n] for row in rows]) for n, p in processors), strict=True)
    execute_rows(connection, compiled, list(tuples))


def execute_rows(connection: Connection, text: str, rows: Sequence[tuple[object, ...]]) -> int:
    """Execute SQLite's own text for each row of values; how many rows of the table it touched.

    Rows go straight to the driver, whose work is less than SQLAlchemy's, and those of an insert up
    to sixteen in one statement: the driver gives the interpreter's lock away with each, and has to
    wait for it again. What fails is told in words; the transaction must not be committed then.
    """
    raw: Any = connection.connection.driver_connection
    done, at, most = 0, 0, len(rows)
    while at < most:
        left = most - at
        n = _MOST_AT_ONCE if left >= _MOST_AT_ONCE else min(left, _FEW)
        several = text if n == 1 else _repeat_row(text, n)
        part = rows if n == most else rows[at : at + n if several else most]
        try:
            if n == 1:
                done += raw.execute(text, part[0]).rowcount
            elif several:
                done += raw.execute(several, tuple(chain.from_iterable(part))).rowcount
            else:
                done += raw.executemany(text, part).rowcount
        except sqlite3.Error as error:
            _explain_failure(connection, error, several or text, part)
        at += len(part)
    return done


def _explain_failure(
    connection: Connection, error: sqlite3.Error, text: str, rows: Sequence[tuple[object, ...]]
) -> NoReturn:
    """Have a statement that failed fail again where SQLAlchemy says what that means."""
    raw: Any = connection.connection.driver_connection
    check_transaction(raw, error)
    if text.count("?") == len(rows[0]):
        connection.exec_driver_sql(text, list(rows))
    else:
        connection.exec_driver_sql(text, tuple(chain.from_iterable(rows)))
    # it did not fail again, and of several rows some may be written twice
    raise StoreUnavailable(f"The shop's database did not take a change: {error}.") from error


@lru_cache(maxsize=512)
def _repeat_row(text: str, n: int) -> str:
    """An insert's text for so many rows; nothing where it takes values besides those of the row."""
    found = _ONE_ROW.search(text)
    if found is None or text.count("?") != found[1].count("?"):
        return ""
    return text[: found.end()] + f", {found[1]}" * (n - 1) + text[found.end() :]


def insert_columns(
    table: Table,
    names: Sequence[str],
    values: Sequence[Sequence[object]],
    kinds: Sequence[TypeEngine[Any]] | None = None,
) -> postgresql.Insert:
    """An insert on PostgreSQL of rows that travel as one array a column, in one statement.

    Several times faster than a statement, or a list of parameters, for every row. ``kinds`` are the
    types of the values where they are not those of the columns.
    """
    types = [table.c[name].type for name in names] if kinds is None else kinds
    arrays = [
        bindparam(f"values_{i}", list(part), type_=postgresql.ARRAY(kind))
        for i, (kind, part) in enumerate(zip(types, values, strict=True))
    ]
    columns = [column(name, kind) for name, kind in zip(names, types, strict=True)]
    source = func.unnest(*arrays).table_valued(*columns, name="v").render_derived()
    return postgresql.insert(table).from_select(list(names), select(*source.c))


def _add_conflict(
    statement: sqlite.Insert | postgresql.Insert, table: Table, names: Sequence[str]
) -> Insert:
    keys = list(table.primary_key.columns)
    others = [name for name in names if not table.c[name].primary_key]
    if not others:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in others}
    )


def execute_many(
    connection: Connection,
    statement: Insert | Update | Delete,
    rows: Sequence[Mapping[str, object]],
) -> None:
    """Execute a statement for each row of its parameters, whose types are plain ones.

    On SQLite without SQLAlchemy's work for every row, which costs more than SQLite's own.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(statement, rows)
        return
    compiled, order = _compile_many(connection.dialect, statement)
    execute_rows(connection, compiled, [tuple(row[name] for name in order) for row in rows])


@lru_cache(maxsize=64)
def _compile_many(
    dialect: Dialect, statement: Insert | Update | Delete
) -> tuple[str, tuple[str, ...]]:
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())


def _find_named(table: Table, given: Collection[str]) -> tuple[str, ...]:
    """Those of the table's columns, in their order."""
    return tuple(column.name for column in table.columns if column.name in given)


@lru_cache(maxsize=256)
def _compile_upsert(
    dialect: Dialect, table: Table, given: tuple[str, ...]
) -> tuple[str, list[tuple[str, Processor]]]:
    names = _find_named(table, given)
    statement = _add_conflict(sqlite.insert(table), table, names)
    compiled = statement.compile(dialect=dialect, column_keys=names)
    order = getattr(compiled, "positiontup", None) or ()
    kinds = {name: table.c[name].type.dialect_impl(dialect) for name in names}
    return str(compiled), [(name, kinds[name].bind_processor(dialect)) for name in order]


def _convert(processor: Processor, values: list[object]) -> list[object]:
    return values if processor is None else [processor(value) for value in values]
