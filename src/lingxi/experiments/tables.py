"""The designs of experiments, every version of each."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, Moment

metadata = sa.MetaData(naming_convention=NAMING)

experiment_design = sa.Table(
    "experiment_design",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("arms", sa.Text, nullable=False),
    sa.Column("unit", sa.String(16), nullable=False),
    sa.Column("started_at", Moment, nullable=False),
)
"""``arms`` is a JSON object of shares in their order. Who is in which arm is a hash and an event,
never a row: nothing in here belongs to a customer."""
