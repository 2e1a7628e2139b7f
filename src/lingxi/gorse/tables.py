"""Feedback as a table: what each user did with each item, by type, added up."""

from sqlalchemy import BigInteger, Column, Float, Index, MetaData, String, Table

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = MetaData(naming_convention=NAMING)

feedback = Table(
    "feedback",
    metadata,
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("feedback_type", String, primary_key=True),
    Column("item_id", String, primary_key=True),
    Column("value", Float, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("event_id", String, nullable=False),
    Index(None, "item_id"),
    sqlite_with_rowid=False,
)
"""One row a customer, type and item. ``value`` is the sum of all values, ``times`` how often it was
told; ``event_id`` is the latest event of the log, under which a comment may be kept."""
