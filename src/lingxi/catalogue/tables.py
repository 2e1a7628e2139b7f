"""The catalogue as a table: one row per item, as it is now."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

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
    Column("category_path", Text),
    Column("cost_cents", BigInteger),
    Column("attributes", Text),
    Column("image", Text),
    Column("url", Text),
    Column("available_from", Moment),
    Column("available_until", Moment),
    Column("group_id", String(200)),
    Column("removed", Boolean, nullable=False, server_default=false()),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("revision", BigInteger, nullable=False, server_default=text("0"), index=True),
    Index(None, "category", "item_id"),
    Index(None, "group_id"),
)
"""``listed`` says that the shop itself named the item, in a feed or over the API; others were
learned from order lines and give way. ``version`` counts changes of the row and names their events;
``revision`` is the catalogue's number of changes when the row was last written;
``category_path`` and ``attributes`` are JSON."""
