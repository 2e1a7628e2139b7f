"""What the lifecycle knows of each customer now."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, SUBJECT, Moment

metadata = sa.MetaData(naming_convention=NAMING)

customer_state = sa.Table(
    "customer_state",
    metadata,
    sa.Column("customer", SUBJECT, primary_key=True, autoincrement=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("segment", sa.String(24)),
    sa.Column("r", sa.Integer),
    sa.Column("f", sa.Integer),
    sa.Column("m", sa.Integer),
    sa.Column("churn_probability", sa.Float),
    sa.Column("churn_level", sa.String(8)),
    sa.Column("churn_reasons", sa.Text),
    sa.Column("churn_model", sa.String(24)),
    sa.Column("value_cents", sa.BigInteger),
    sa.Column("horizon_days", sa.Integer, nullable=False),
    sa.Column("as_of", Moment, nullable=False),
    sa.Index(None, "stage", "customer"),
    sa.Index(None, "churn_probability", "customer"),
    sa.Index(None, "value_cents", "customer"),
)
"""One row per known customer. ``reason`` is a JSON sentence, ``churn_reasons`` a JSON list of
``{"sentence": ..., "contribution": ...}``, the strongest first. Segment, scores, churn and value
are null for a customer who has not ordered; churn also where no model could be trained."""
