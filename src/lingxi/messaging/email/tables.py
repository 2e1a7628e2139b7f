"""Tables of e-mail: addresses not to write to, soft bounces, hits of links, counts by day."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = sa.MetaData(naming_convention=NAMING)

suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("address_hash", sa.String(64), primary_key=True),
    sa.Column("reason", sa.String(20), nullable=False),
    sa.Column("everything", sa.Boolean, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("detail", sa.String(200), nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Index(None, "at"),
)
"""One row an address, by its keyed hash. ``everything``: transactional messages too. It names no
customer, and outlives an erasure: who said no is not written to when they come back."""

soft_bounce = sa.Table(
    "soft_bounce",
    metadata,
    sa.Column("address_hash", sa.String(64), primary_key=True),
    sa.Column("message", sa.String(32), primary_key=True),
    sa.Column("customer", SUBJECT, nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
)
"""Messages that bounced softly, until a person opens one or the address is suppressed."""

mail_hit = sa.Table(
    "mail_hit",
    metadata,
    sa.Column("id", SUBJECT, primary_key=True),
    sa.Column("message", sa.String(32), nullable=False),
    sa.Column("customer", SUBJECT, nullable=False, index=True),
    sa.Column("kind", sa.String(8), nullable=False),
    sa.Column("link", sa.Integer, nullable=False),
    sa.Column("target", sa.String(200), nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("machine", sa.String(20)),
)
"""Openings and clicks of the last moments, until it is clear whether a machine made them."""

mail_day = sa.Table(
    "mail_day",
    metadata,
    sa.Column("day", sa.String(10), primary_key=True),
    sa.Column("provider", sa.String(40), primary_key=True),
    sa.Column("outcome", sa.String(16), primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""What became of messages, by the shop's day and the mailbox provider."""

mail_report = sa.Table(
    "mail_report",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
)
"""Bounces and complaints taken in, by the hash of their bytes: each counts once."""

mail_state = sa.Table(
    "mail_state",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("detail", sa.String(300), nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""How the way out of each worker stands: the breaker's state."""

opt_in = sa.Table(
    "opt_in",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("customer", SUBJECT, nullable=False, index=True),
    sa.Column("channel", sa.String(32), nullable=False),
    sa.Column("category", sa.String(64), nullable=False),
    sa.Column("tag", sa.String(10), nullable=False),
    sa.Column("asked_at", Moment, nullable=False, index=True),
    sa.Column("confirmed_at", Moment),
    sa.Column("sent_at", Moment),
    sa.Column("due_at", Moment, index=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("source", sa.String(60), nullable=False),
    sa.Column("text_version", sa.String(100), nullable=False),
)
"""Requests to be written to that wait for the customer's own yes."""
