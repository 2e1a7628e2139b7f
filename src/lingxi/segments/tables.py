"""Tables of segments: what they are, who is in them, when to look again; lists kept by hand."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = MetaData(naming_convention=NAMING)

segment = Table(
    "segment",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("rule", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("evaluated", Integer, nullable=False),
    Column("evaluated_at", Moment),
    Column("members", BigInteger, nullable=False),
)
"""``rule`` is JSON as people write it; ``version`` counts its changes, and ``evaluated`` is the
version that the memberships are of; ``members`` is how many there are."""

segment_member = Table(
    "segment_member",
    metadata,
    Column("segment", String(64), primary_key=True),
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("since", Moment, nullable=False),
    Index(None, "customer"),
    sqlite_with_rowid=False,
)
"""Who is in a segment, as far as the consumer has read the log."""

segment_timer = Table(
    "segment_timer",
    metadata,
    Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    Column("segment", String(64), primary_key=True),
    Column("due_at", Moment, nullable=False, index=True),
    sqlite_with_rowid=False,
)
"""When time alone may change whether a customer is in a segment; never later than it does."""

segment_day = Table(
    "segment_day",
    metadata,
    Column("segment", String(64), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("entered", BigInteger, nullable=False),
    Column("left", BigInteger, nullable=False),
    Column("members", BigInteger, nullable=False),
)
"""How many entered and left on a day of the shop's time zone, and how many there were at its
end."""

segment_mark = Table(
    "segment_mark",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)
"""What the last evaluation saw of what changes without events: scores, settings, categories."""

customer_list = Table(
    "customer_list",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("created_at", Moment, nullable=False),
)
"""Lists that people keep by hand."""

customer_list_entry = Table(
    "customer_list_entry",
    metadata,
    Column("list", String(64), primary_key=True),
    Column("subject", SUBJECT, primary_key=True, autoincrement=False, index=True),
    Column("added_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)
"""Who is on a list, by surrogate: a merge moves nothing, and neither does its undoing."""
