"""Numbers given out once."""

import msgspec
from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects import sqlite

from lingxi.store.eager import is_eager
from lingxi.store.keyed import upsert
from lingxi.store.prepared import Prepared, PreparedChange
from lingxi.store.tables import counter

_VALUE = Prepared(select(counter.c.value).where(counter.c.name == bindparam("name")), "name")
_NEW = sqlite.insert(counter).values(name=bindparam("new_name"), value=bindparam("new_value"))
_PUT = PreparedChange(
    _NEW.on_conflict_do_update(index_elements=["name"], set_={"value": _NEW.excluded.value}),
    "new_name",
    "new_value",
)
_ALL = Prepared(select(func.json_group_object(counter.c.name, counter.c.value)))
_decode = msgspec.json.Decoder(dict[str, int]).decode
_SEEN = "lingxi_counters"


def peek(connection: Connection, name: str) -> int:
    """The last number given out; 0 before the first."""
    if is_eager(connection):
        return _see(connection).get(name, 0)
    row = _VALUE.first(connection, name)
    return int(row[0]) if row else 0


def put(connection: Connection, name: str, value: int) -> None:
    """Record the last number given out. The caller holds the write lock."""
    if connection.dialect.name == "sqlite":
        _PUT.execute(connection, name, value)
    else:
        upsert(connection, counter, [{"name": name, "value": value}])
    if is_eager(connection):
        _see(connection)[name] = value


def allocate(connection: Connection, name: str, n: int) -> range:
    """The next ``n`` numbers of a counter, never given out before; from a write transaction."""
    last = peek(connection, name)
    put(connection, name, last + n)
    return range(last + 1, last + n + 1)


def _see(connection: Connection) -> dict[str, int]:
    """All counters, read once in the transaction of an eager writer, who alone changes them."""
    transaction = connection.get_transaction()
    seen: tuple[object, dict[str, int]] | None = connection.info.get(_SEEN)
    if seen is None or seen[0] is not transaction:
        ((text,),) = _ALL.fetch(connection)
        seen = connection.info[_SEEN] = transaction, _decode(text)
    return seen[1]
