"""The plan as a table: one row per known customer."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = sa.MetaData(naming_convention=NAMING)

planned_action = sa.Table(
    "planned_action",
    metadata,
    sa.Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("segment", sa.String(24)),
    sa.Column("value_cents", sa.BigInteger, nullable=False),
    sa.Column("churn_probability", sa.Float),
    sa.Column("action", sa.String(24), nullable=False),
    sa.Column("rule", sa.String(24), nullable=False),
    sa.Column("offer", sa.String(40), nullable=False),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("item_ids", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("expected_value_cents", sa.BigInteger),
    sa.Column("as_of", Moment, nullable=False),
    sa.Index(None, "expected_value_cents", "customer"),
    sa.Index(None, "action", "expected_value_cents", "customer"),
)
"""``item_ids`` is a JSON list, ``reason`` a JSON sentence."""
