"""All feature expressions as one query over tables named in advance: built and compiled once."""

from collections.abc import Collection
from datetime import datetime
from functools import lru_cache

import ibis
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.backends.duckdb import Backend as DuckDB

from lingxi.features.describe import describe
from lingxi.features.grains import Scene, observe
from lingxi.features.registry import get_features
from lingxi.features.shop import CATEGORIES, PRICES, TRACKED
from lingxi.schema import EVENT_ROWS

EVENTS_NAME = "events"
MOMENT_NAME = "feature_moment"
PRICES_NAME = "feature_prices"
CATEGORIES_NAME = "feature_categories"
CUSTOMERS_NAME = "feature_customers"

EVENTS = EVENT_ROWS.append(pa.field("customer", pa.int64())).append(pa.field("known", pa.bool_()))
_MOMENT: dict[str, pa.DataType] = {
    "as_of": pa.timestamp("us", tz="UTC"),
    **{name: pa.bool_() for name in TRACKED},
}
MOMENT = pa.schema(_MOMENT)
CUSTOMERS = pa.schema([("wanted", pa.int64())])


def _name_table(schema: pa.Schema, name: str) -> ibis.Table:
    return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)


@lru_cache(maxsize=64)
def build_query(names: tuple[str, ...], restricted: bool) -> ibis.Table:
    """The features of these names over the five tables; ``restricted`` reads the fifth."""
    events = _name_table(EVENTS, EVENTS_NAME)
    if restricted:
        wanted = _name_table(CUSTOMERS, CUSTOMERS_NAME)
        events = events.semi_join(wanted, events.customer == wanted.wanted)
    moment = _name_table(MOMENT, MOMENT_NAME)
    scene = Scene(
        rows=observe(events.cross_join(moment.select("as_of"))),
        moment=moment.drop("as_of"),
        prices=_name_table(PRICES, PRICES_NAME),
        categories=_name_table(CATEGORIES, CATEGORIES_NAME),
    )
    return describe(scene, get_features(names))


@lru_cache(maxsize=64)
def _compile(names: tuple[str, ...], restricted: bool) -> str:
    return str(ibis.to_sql(build_query(names, restricted), dialect="duckdb", pretty=False))


def tell_moment(as_of: datetime, tracked: Collection[str]) -> pa.Table:
    """The one row of ``MOMENT``: when, and which of ``TRACKED`` the shop has recorded."""
    flags = {name: [name in tracked] for name in TRACKED}
    return pa.table({"as_of": [as_of], **flags}, schema=MOMENT)


def run_query(connection: BaseBackend, names: tuple[str, ...], *, restricted: bool) -> pa.Table:
    """The rows of ``build_query`` in a session that holds its tables.

    DuckDB takes the text compiled the first time; building and compiling it anew would cost more
    than running it.
    """
    if isinstance(connection, DuckDB):
        sql = _compile(names, restricted)
        rows: pa.Table = connection.raw_sql(sql).fetch_arrow_table()
    else:
        rows = connection.to_pyarrow(build_query(names, restricted))
    return rows
