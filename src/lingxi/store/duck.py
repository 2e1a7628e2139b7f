"""The analytics on DuckDB, in this process and its memory."""

from collections.abc import Sequence
from pathlib import Path

import ibis
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.backends.duckdb import Backend

MEMORY_LIMIT = "1GB"
_PLACE = """'$."' || key || '"'"""
_FUNCTIONS = (
    f"""CREATE MACRO property_text(properties, key) AS CASE json_type(properties, {_PLACE})
    WHEN 'VARCHAR' THEN json_extract_string(properties, {_PLACE}) END""",
    f"""CREATE MACRO property_number(properties, key) AS CASE
    WHEN json_type(properties, {_PLACE}) IN ('UBIGINT', 'BIGINT', 'DOUBLE')
    THEN CAST(json_extract(properties, {_PLACE}) AS DOUBLE) END""",
    f"""CREATE MACRO property_truth(properties, key) AS CASE json_type(properties, {_PLACE})
    WHEN 'BOOLEAN' THEN CAST(json_extract(properties, {_PLACE}) AS BOOLEAN) END""",
)
"""A property of an event if it is of one kind, else nothing; Spark is given the same."""


class DuckDBSession:
    """An empty in-memory database in UTC that installs and loads no extension.

    What goes past ``MEMORY_LIMIT`` spills into ``scratch``. ``threads`` 0 takes all cores; for a
    few rows one is quicker.
    """

    def __init__(self, scratch: Path, *, threads: int = 0) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._backend: Backend = ibis.duckdb.connect(
            ":memory:",
            temp_directory=str(scratch),
            memory_limit=MEMORY_LIMIT,
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
            **({"threads": threads} if threads else {}),
        )
        for function in _FUNCTIONS:
            self._backend.con.execute(function)

    @property
    def backend(self) -> BaseBackend:
        """The Ibis connection."""
        return self._backend

    def register(self, name: str, table: pa.Table) -> ibis.Table:
        """A view of an Arrow table, in place of an earlier one of this name."""
        self.put(name, table)
        return self._backend.table(name)

    def put(self, name: str, table: pa.Table) -> None:
        """The same for queries in text: nothing is copied, nothing is described."""
        self._backend.con.register(name, table)

    def read_lake(self, files: Sequence[str]) -> ibis.Table:
        """The lake's files as one table, without the column of their folders."""
        return self._backend.read_parquet(list(files), table_name="lake", hive_partitioning=False)

    def to_arrow(self, expr: ibis.Table) -> pa.Table:
        """Run an expression."""
        return self._backend.to_pyarrow(expr)

    def settle(self, expr: ibis.Table) -> ibis.Table:
        """The expression itself: DuckDB takes it in with what is built on it."""
        return expr

    def close(self) -> None:
        """Forget the database."""
        self._backend.con.close()
