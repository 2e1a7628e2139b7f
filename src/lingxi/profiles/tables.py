"""Tables of the customer: profile, history with each item, encrypted traits."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    func,
    literal_column,
    type_coerce,
)

from lingxi.profiles.ledger import LedgerColumn
from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = MetaData(naming_convention=NAMING)

customer_profile = Table(
    "customer_profile",
    metadata,
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("events", Integer, nullable=False),
    Column("views", Integer, nullable=False),
    Column("carts", Integer, nullable=False),
    Column("searches", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("cancelled_orders", Integer, nullable=False),
    Column("refunds", Integer, nullable=False),
    Column("revenue_cents", BigInteger, nullable=False),
    Column("refund_cents", BigInteger, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("last_seen_at", Moment, nullable=False),
    Column("first_order_at", Moment),
    Column("last_order_at", Moment),
    Column("country", String),
    Column("country_at", Moment),
    Column("ledger", LedgerColumn, nullable=False),
    Index(None, "revenue_cents", "customer"),
    Index(None, "orders", "customer"),
    Index(None, "last_order_at", "customer"),
    Index(None, "country", "customer"),
)
"""One row a customer. ``orders`` leaves out those refunded in full (``cancelled_orders``);
``revenue_cents`` is goods value less refunds; ``ledger`` what was ordered and refunded by order."""

item_history = Table(
    "item_history",
    metadata,
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("item_id", String, primary_key=True),
    Column("views", Integer, nullable=False),
    Column("carts", Integer, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("returned", BigInteger, nullable=False),
    Column("last_at", Moment),
    Column("last_order_at", Moment),
    sqlite_with_rowid=False,
)
"""One row a customer and item: what they did with it. ``carts`` counts wish lists too, which say as
much; ``quantity`` is units bought less units returned;
a refund is no sign of interest, so it moves no moment."""

LAST_MET = func.coalesce(
    type_coerce(item_history.c.last_at, BigInteger), literal_column("0", BigInteger)
)
"""When the item was last met, microseconds since 1970; 0 where it is known only as sent back, so
that it was bought before the log begins, and nobody knows when."""
