"""keys of what is set aside."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    for table in ("quarantine", "quarantine_message"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("owner", _NUMBER, nullable=False, server_default="0"))


def downgrade() -> None:
    """Back to the one before."""
    for table in ("quarantine", "quarantine_message"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("owner")
