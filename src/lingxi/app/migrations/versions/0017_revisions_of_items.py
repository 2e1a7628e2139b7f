"""revisions of items."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("item", schema=None) as batch:
        batch.add_column(
            sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
        batch.create_index(batch.f("ix_item_revision"), ["revision"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("item", schema=None) as batch:
        batch.drop_index(batch.f("ix_item_revision"))
        batch.drop_column("revision")
