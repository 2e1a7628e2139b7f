"""The store's own tables, and the column types every room uses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    literal_column,
)
from sqlalchemy.types import TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUBJECT = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit surrogate or position; on SQLite ``INTEGER``, so that a primary key is the row id."""

_MESSAGE = "web"
NAMED: ColumnElement[bool] = literal_column(f"substr(event_id, 1, 3) <> '{_MESSAGE}'")
"""Events with an id that the system gave. A query by ``event_id`` has an index where it says so."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names of constraints, for migrations to find: ``MetaData(naming_convention=NAMING)``."""


def to_micros(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware moment.

    >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> datetime:
    """The aware UTC moment so many microseconds after 1970.

    >>> from_micros(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    return EPOCH + timedelta(microseconds=micros)


class Moment(TypeDecorator[datetime]):
    """A moment, kept as whole microseconds since 1970, read back as an aware UTC datetime."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else from_micros(value)


def driver_type(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type of a column as the driver keeps it: a ``Moment``'s is a whole number."""
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


metadata = MetaData(naming_convention=NAMING)


def is_message(event_id: str) -> bool:
    """Whether an event is a message's: its id is random, and there are millions of them.

    >>> is_message("web:7b1c"), is_message("order:17")
    (True, False)
    """
    return event_id.startswith(_MESSAGE)


event = Table(
    "event",
    metadata,
    Column("position", SUBJECT, primary_key=True, autoincrement=False),
    Column("event_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("subject", SUBJECT),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index(None, "subject", "occurred_at"),
    Index(None, "event_id", unique=True, sqlite_where=NAMED, postgresql_where=NAMED),
)
"""The log: one row an event, ``payload`` the event as JSON, times in microseconds.

Ids of messages have no index of their own: ``lingxi.store.message_ids`` knows them.
"""

id_run = Table(
    "id_run",
    metadata,
    Column("number", SUBJECT, primary_key=True, autoincrement=False),
    Column("ids", LargeBinary, nullable=False),
)
"""Hashes of the messages' ids in one stretch of the log; made from the log, to find them again."""

identity = Table(
    "identity",
    metadata,
    Column("subject", SUBJECT, primary_key=True, autoincrement=False),
    Column("customer", SUBJECT, nullable=False, index=True),
    Column("known", Boolean, nullable=False),
)
"""Which customer a subject belongs to; a merge changes this map and nothing else."""

counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", SUBJECT, nullable=False),
)
"""Numbers given out once and never again, not even after an erasure."""

log_cursor = Table(
    "log_cursor",
    metadata,
    Column("consumer", String, primary_key=True),
    Column("position", SUBJECT, nullable=False),
)
"""How far each consumer has read the log."""

lake_file = Table(
    "lake_file",
    metadata,
    Column("path", String, primary_key=True),
    Column("day", String, nullable=False),
    Column("first", SUBJECT, nullable=False),
    Column("last", SUBJECT, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
)
"""The files that make up the lake; a file without a row here does not belong to it."""

withdrawn = Table(
    "withdrawn",
    metadata,
    Column("event_id", String, primary_key=True),
)
"""Events that were taken back and that files of the lake still hold, until its next roll."""

topic_offset = Table(
    "topic_offset",
    metadata,
    Column("topic", String, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next", SUBJECT, nullable=False),
    Column("behind", SUBJECT, nullable=False),
    Column("moved_at", Moment, nullable=False),
)
"""How far the topic in front of the log was brought into it: the record to go on with in each
partition, and how many waited behind it then."""
