"""A state table as Arrow, with the types that the analytics know."""

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
    Table,
    select,
)

from lingxi.store.tables import Moment


def read_table(connection: Connection, table: Table) -> pa.Table:
    """All rows of a state table, seen by this transaction."""
    schema = pa.schema([pa.field(c.name, arrow_type(c), nullable=True) for c in table.columns])
    rows = connection.execute(select(table)).all()
    columns: list[tuple[object, ...]] = list(zip(*rows, strict=True)) if rows else []
    if not columns:
        return schema.empty_table()
    arrays = [pa.array(v, type=f.type) for v, f in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


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
