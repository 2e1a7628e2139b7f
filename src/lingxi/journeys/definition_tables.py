"""Tables of journeys as they are defined: a draft each, and every version that was published."""

import sqlalchemy as sa

from lingxi.store.tables import NAMING, Moment

metadata = sa.MetaData(naming_convention=NAMING)

journey = sa.Table(
    "journey",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("draft", sa.Text, nullable=False),
    sa.Column("published", sa.Integer, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(200), nullable=False),
)
"""One row a journey: its draft as JSON, the version that runs begin on (0: none yet), and whether
new runs begin at all."""

journey_version = sa.Table(
    "journey_version",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("published_by", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
"""What was published, never changed; runs stay on the version that they began on."""
