"""Many rows of the state by column: a table as Arrow, or the columns of a query."""

from typing import Any

import msgspec
import pyarrow as pa
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    Table,
    func,
    select,
)

from lingxi.store.tables import Moment

_decode = msgspec.json.Decoder(list[Any]).decode


def read_table(connection: Connection, table: Table) -> pa.Table:
    """All rows of a state table, seen by this transaction."""
    schema = pa.schema([pa.field(c.name, arrow_type(c), nullable=True) for c in table.columns])
    rows = connection.execute(select(table)).all()
    columns: list[tuple[object, ...]] = list(zip(*rows, strict=True)) if rows else []
    if not columns:
        return schema.empty_table()
    arrays = [pa.array(v, type=f.type) for v, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def read_columns(connection: Connection, query: Select[Any]) -> list[list[Any]]:
    """All rows of a query of whole numbers and texts, by column, as the driver keeps them.

    Types that SQLAlchemy translates, such as moments, must be coerced to what is stored. SQLite
    hands over each column as one JSON list, a third of the work of a tuple for every row.
    """
    names = list(query.selected_columns)
    if connection.dialect.name != "sqlite":
        rows = connection.execute(query).all()
        return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    rows_of = query.subquery()
    row = connection.execute(select(*(func.json_group_array(c) for c in rows_of.c))).one()
    return [_decode(text) for text in row]


def arrow_type(column: "Column[object]") -> pa.DataType:
    """The Arrow type of a state column; text for anything that has no closer one."""
    kind = column.type
    if isinstance(kind, Moment | DateTime):
        return pa.timestamp("us", tz="UTC")
    for known, answer in (
        (Boolean, pa.bool_()),
        (Integer, pa.int64()),
        (Float, pa.float64()),
        (Numeric, pa.float64()),
        (Date, pa.date32()),
        (LargeBinary, pa.binary()),
    ):
        if isinstance(kind, known):
            return answer
    return pa.string()
