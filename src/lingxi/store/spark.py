"""The analytics on Spark, on this machine by default, behind the same face as DuckDB."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from lingxi.errors import MissingExtra

if TYPE_CHECKING:
    import ibis
    from ibis.backends import BaseBackend


SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.driver.memory": "1g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
"""One small Java process that listens to this machine alone; set before it starts."""
_PROPERTY = "from_json(properties, 'MAP<STRING, VARIANT>')[key]"
_KIND = f"schema_of_variant({_PROPERTY})"
_FUNCTIONS = (
    "epoch_us(moment TIMESTAMP) RETURNS BIGINT RETURN unix_micros(moment)",
    "property_text(properties STRING, key STRING) RETURNS STRING RETURN "
    f"CASE {_KIND} WHEN 'STRING' THEN CAST({_PROPERTY} AS STRING) END",
    "property_number(properties STRING, key STRING) RETURNS DOUBLE RETURN "
    f"CASE WHEN {_KIND} IN ('BIGINT', 'DOUBLE', 'FLOAT') OR {_KIND} LIKE 'DECIMAL%' "
    f"THEN CAST({_PROPERTY} AS DOUBLE) END",
    "property_truth(properties STRING, key STRING) RETURNS BOOLEAN RETURN "
    f"CASE {_KIND} WHEN 'BOOLEAN' THEN CAST({_PROPERTY} AS BOOLEAN) END",
)
"""What DuckDB has, or is given too, so that one expression serves both engines."""


class SparkSession:
    """A Spark session in UTC. Spark itself is shared by the process, for it takes seconds to start;
    what a session names is its own, so several may be open at once.

    Raises
    ------
    MissingExtra
        If pyspark is not installed.
    """

    def __init__(self, master: str = "local[2]") -> None:
        try:
            import ibis
            from ibis.backends.pyspark import Backend
            from pyspark.sql import SparkSession as Spark
        except ModuleNotFoundError as error:
            raise MissingExtra(
                "Spark needs an optional part of Lingxi, and Java 17: pip install 'lingxi[spark]'."
            ) from error
        builder = Spark.builder.master(master).appName("lingxi")
        warehouse = Path(tempfile.gettempdir()) / f"lingxi-spark-{os.getuid()}"
        for setting, value in {**SETTINGS, "spark.sql.warehouse.dir": str(warehouse)}.items():
            builder = builder.config(setting, value)
        self._spark = builder.getOrCreate().newSession()
        self._spark.conf.set("spark.sql.session.timeZone", "UTC")
        for function in _FUNCTIONS:
            self._spark.sql(f"CREATE OR REPLACE TEMPORARY FUNCTION {function}")
        self._views: set[str] = set()
        self._backend: Backend = ibis.pyspark.connect(self._spark)

    @property
    def backend(self) -> BaseBackend:
        """The Ibis connection."""
        return self._backend

    def register(self, name: str, table: pa.Table) -> ibis.Table:
        """A temporary view over an Arrow table, in place of an earlier one of this name."""
        self._spark.createDataFrame(table).createOrReplaceTempView(name)
        self._views.add(name)
        return self._backend.table(name)

    def read_lake(self, files: Sequence[str]) -> ibis.Table:
        """The lake's files as one table; named one by one, their folders give no column."""
        self._spark.read.parquet(*files).createOrReplaceTempView("lake")
        self._views.add("lake")
        return self._backend.table("lake")

    def to_arrow(self, expr: ibis.Table) -> pa.Table:
        """Run an expression; Spark's own Arrow, for a detour by pandas would lose types."""
        rows: pa.Table = self._spark.sql(self._backend.compile(expr)).toArrow()
        wanted = expr.schema().to_pyarrow()
        types = [
            # Ibis takes Spark's moments for local times; the session is in UTC, and Arrow says so
            have.type if pa.types.is_timestamp(have.type) else want.type
            for have, want in zip(rows.schema, wanted, strict=True)
        ]
        return rows.cast(pa.schema(list(zip(wanted.names, types, strict=True))))

    def settle(self, expr: ibis.Table) -> ibis.Table:
        """A view over the rows, which are worked out now."""
        name = f"settled_{len(self._views)}"
        rows = self._spark.sql(self._backend.compile(expr)).localCheckpoint()
        rows.createOrReplaceTempView(name)
        self._views.add(name)
        return self._backend.table(name)

    def close(self) -> None:
        """Drop what this session brought in; Spark itself stays up. Fails not where it is gone."""
        from py4j.protocol import Py4JError

        with suppress(Py4JError, OSError):
            for name in self._views:
                self._spark.catalog.dropTempView(name)
