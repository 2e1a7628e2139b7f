"""Many rows of the state by column: a table as Arrow, or the columns of a query."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
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

_NONE = np.empty(0, np.int64)
_decode = msgspec.json.Decoder(list[Any]).decode
_decode_texts = msgspec.json.Decoder(list[str]).decode
_ZERO = ord("0")


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
    row = connection.execute(by_column(query)).one()
    return [_decode(text) for text in row]


def by_column(query: Select[Any]) -> Select[Any]:
    """One row for all of a query's: each of its columns as one JSON list. SQLite alone has it."""
    return select(*(func.json_group_array(c) for c in query.subquery().c))


def decode_texts(text: str) -> list[str]:
    """A column of texts that ``by_column`` gave, none of them unknown."""
    return _decode_texts(text)


def decode_wholes(text: str) -> NDArray[np.int64]:
    """A column of whole numbers that ``by_column`` gave, none of them unknown.

    No object is made for a number, and where each has one digit, as most counts have, nothing is
    parsed at all.

    >>> decode_wholes("[3,0,7]").tolist(), decode_wholes("[12,-4]").tolist()
    ([3, 0, 7], [12, -4])
    >>> decode_wholes("[]").tolist()
    []
    """
    if 2 * text.count(",") + 3 == len(text):
        return np.frombuffer(text.encode(), np.uint8)[1::2].astype(np.int64) - _ZERO
    inner = text[1:-1]
    found: NDArray[np.int64] = np.fromstring(inner, np.int64, sep=",") if inner else _NONE
    return found


def read_ids(connection: Connection, query: "Select[tuple[int]]") -> NDArray[np.int64]:
    """All rows of a query of one column of whole numbers, none of them unknown.

    SQLite hands them over as one text, which is read without an object for every number.
    """
    if connection.dialect.name != "sqlite":
        return np.array(connection.execute(query).scalars().all(), np.int64)
    (column,) = query.subquery().c
    return decode_wholes(connection.execute(select(func.json_group_array(column))).scalar_one())


def read_with_text(
    connection: Connection, query: Select[Any]
) -> tuple[list[str], list[NDArray[np.int64]]]:
    """The rows of a query of one column of texts and then columns of whole numbers, none of them
    unknown: the texts, and each of the others."""
    if connection.dialect.name != "sqlite":
        texts, *columns = read_columns(connection, query)
        return texts, [np.array(column, np.int64) for column in columns]
    first, *rest = connection.execute(by_column(query)).one()
    return decode_texts(first), [decode_wholes(text) for text in rest]


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
