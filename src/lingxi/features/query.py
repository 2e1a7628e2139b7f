"""The queries of the room over tables named in advance, so that each is compiled once."""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache

import ibis
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.backends.duckdb import Backend as DuckDB

from lingxi.features.describe import describe
from lingxi.features.grains import Scene, observe
from lingxi.features.registry import get_features
from lingxi.features.shop import (
    CATEGORIES,
    PRICES,
    TRACKED,
    select_categories,
    select_prices,
    select_tracked,
)
from lingxi.schema import EVENT_ROWS

EVENTS_NAME = "events"
DAY_NAME = "feature_day"
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
DAY = pa.schema([("midnight", pa.timestamp("us", tz="UTC"))])
CUSTOMERS = pa.schema([("wanted", pa.int64())])


def _name_table(schema: pa.Schema, name: str) -> ibis.Table:
    return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)


def _name_past() -> ibis.Table:
    """Events before the midnight of ``DAY``."""
    day = _name_table(DAY, DAY_NAME)
    events = _name_table(EVENTS, EVENTS_NAME)
    return events.inner_join(day, events.occurred_at < day.midnight)


def build_tracked() -> ibis.Table:
    """What the shop has recorded at all."""
    return select_tracked(_name_past())


def build_prices() -> ibis.Table:
    """The shop's prices."""
    return select_prices(_name_past())


def build_categories() -> ibis.Table:
    """The categories of the shop's items."""
    return select_categories(_name_past())


def build_features(names: tuple[str, ...], restricted: bool) -> ibis.Table:
    """The features of these names; ``restricted`` to the customers of ``CUSTOMERS``."""
    events = _name_table(EVENTS, EVENTS_NAME)
    if restricted:
        wanted = _name_table(CUSTOMERS, CUSTOMERS_NAME)
        events = events.semi_join(wanted, events.customer == wanted.wanted)
    moment = _name_table(MOMENT, MOMENT_NAME)
    scene = Scene(
        rows=observe(events, moment),
        moment=moment.drop("as_of"),
        prices=_name_table(PRICES, PRICES_NAME),
        categories=_name_table(CATEGORIES, CATEGORIES_NAME),
    )
    return describe(scene, get_features(names))


def tell_moment(as_of: datetime, tracked: Collection[str]) -> pa.Table:
    """The one row of ``MOMENT``: when, and which of ``TRACKED`` the shop has recorded."""
    flags = {name: [name in tracked] for name in TRACKED}
    return pa.table({"as_of": [as_of], **flags}, schema=MOMENT)


def run(
    connection: BaseBackend,
    build: Callable[..., ibis.Table],
    *arguments: tuple[str, ...] | bool,
) -> pa.Table:
    """The rows of a ``build_*`` query, in a session that holds its tables.

    DuckDB takes the text compiled the first time: building and compiling it anew would cost more
    than running it.
    """
    if isinstance(connection, DuckDB):
        sql = _compile(build, *arguments)
        rows: pa.Table = connection.raw_sql(sql).fetch_arrow_table()
    else:
        rows = connection.to_pyarrow(build(*arguments))
    return rows


@lru_cache(maxsize=64)
def _compile(build: Callable[..., ibis.Table], *arguments: tuple[str, ...] | bool) -> str:
    return str(ibis.to_sql(build(*arguments), dialect="duckdb", pretty=False))
