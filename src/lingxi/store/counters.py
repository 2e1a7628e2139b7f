"""Numbers given out once."""

from sqlalchemy import Connection, bindparam, select

from lingxi.store.keyed import upsert
from lingxi.store.prepared import Prepared
from lingxi.store.tables import counter

_VALUE = Prepared(select(counter.c.value).where(counter.c.name == bindparam("name")), "name")


def peek(connection: Connection, name: str) -> int:
    """The last number given out; 0 before the first."""
    row = _VALUE.first(connection, name)
    return int(row[0]) if row else 0


def put(connection: Connection, name: str, value: int) -> None:
    """Record the last number given out. The caller holds the write lock."""
    upsert(connection, counter, [{"name": name, "value": value}])


def allocate(connection: Connection, name: str, n: int) -> range:
    """The next ``n`` numbers of a counter, never given out before; from a write transaction."""
    last = peek(connection, name)
    put(connection, name, last + n)
    return range(last + 1, last + n + 1)
