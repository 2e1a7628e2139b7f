"""Versions of placements: what each was from when, and who made it so."""

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = MetaData(naming_convention=NAMING)

placement_version = Table(
    "placement_version",
    metadata,
    Column("version", SUBJECT, primary_key=True, autoincrement=False),
    Column("name", String(40), nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("note", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("base", BigInteger),
    Index(None, "name", "version"),
)
"""``text`` is the placement's section of ``placements.toml``, empty for what is built in; ``base``
the version that was restored, where it came so about. Nothing in it belongs to a customer."""
