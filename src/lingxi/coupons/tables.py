"""Offers with their versions, coupons, the ledger with its running totals, and redemptions."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = sa.MetaData(naming_convention=NAMING)

coupon_offer = sa.Table(
    "coupon_offer",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
)
"""``body`` is the offer as JSON. The latest version is in force; codes keep the terms of the one
under which they were issued."""

coupon_shared = sa.Table(
    "coupon_shared",
    metadata,
    sa.Column("found_by", sa.String(64), primary_key=True),
    sa.Column("offer", sa.String(40), nullable=False, index=True),
)
"""Which offer a shared code belongs to, those it had before included."""

coupon = sa.Table(
    "coupon",
    metadata,
    sa.Column("coupon", SUBJECT, primary_key=True, autoincrement=False),
    sa.Column("offer", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("found_by", sa.String(64), unique=True),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("customer", SUBJECT),
    sa.Column("key", sa.String(160)),
    sa.Column("issued_at", Moment),
    sa.Column("seen_at", Moment),
    sa.Column("starts_at", Moment),
    sa.Column("expires_at", Moment),
    sa.UniqueConstraint("offer", "key"),
    sa.Index(None, "offer", "state", "coupon"),
    sa.Index(None, "customer", "offer"),
    sa.Index(None, "state", "expires_at"),
)
"""One right to one redemption. ``found_by`` and ``sealed`` are null where the code is shared;
``key`` makes issuing idempotent."""

coupon_entry = sa.Table(
    "coupon_entry",
    metadata,
    sa.Column("entry", SUBJECT, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("offer", sa.String(40), nullable=False),
    sa.Column("coupon", SUBJECT),
    sa.Column("customer", SUBJECT, index=True),
    sa.Column("source", sa.String(12), nullable=False),
    sa.Column("target", sa.String(12), nullable=False),
    sa.Column("coupons", sa.BigInteger, nullable=False),
    sa.Column("cents", sa.BigInteger, nullable=False),
    sa.Column("order_id", sa.String(200)),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("note", sa.String(200), nullable=False),
    sa.Index(None, "offer", "entry"),
    sa.Index(None, "coupon", "entry"),
)
"""The ledger: ``coupons`` went from one account to another; nothing is ever changed or removed.
``cents`` is what the shop spent on it, negative where it got it back."""

coupon_total = sa.Table(
    "coupon_total",
    metadata,
    sa.Column("offer", sa.String(40), primary_key=True),
    sa.Column("account", sa.String(12), primary_key=True),
    sa.Column("coupons", sa.BigInteger, nullable=False),
    sa.Column("cents", sa.BigInteger, nullable=False),
)
"""The balance of each account, kept with every entry."""

coupon_redemption = sa.Table(
    "coupon_redemption",
    metadata,
    sa.Column("redemption", SUBJECT, primary_key=True, autoincrement=False),
    sa.Column("coupon", SUBJECT, nullable=False, index=True),
    sa.Column("offer", sa.String(40), nullable=False),
    sa.Column("customer", SUBJECT),
    sa.Column("order_id", sa.String(200), nullable=False, index=True),
    sa.Column("key", sa.String(160), nullable=False, unique=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("cost_cents", sa.BigInteger, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("voided_at", Moment),
    sa.Index(None, "offer", "customer"),
)
"""``verdict`` is the answer that the checkout got, as JSON, for when it asks again."""

coupon_stray = sa.Table(
    "coupon_stray",
    metadata,
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
)
"""Codes of orders that redeemed nothing; ``key`` is a keyed hash of order and code, so that each
counts once and neither can be read."""
