"""The catalogue as a table: one row per item, as it is now."""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, String, Table, Text

from lingxi.store.tables import NAMING, Moment

metadata = MetaData(naming_convention=NAMING)

item = Table(
    "item",
    metadata,
    Column("item_id", String(200), primary_key=True),
    Column("name", Text, nullable=False),
    Column("category", String(200)),
    Column("price_cents", BigInteger),
    Column("margin_cents", BigInteger),
    Column("stock", BigInteger),
    Column("brand", String(200)),
    Column("active", Boolean, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index(None, "category", "item_id"),
)
"""``listed`` says that a feed of the shop's own named the item; others were learned from order
lines and give way to a feed."""
