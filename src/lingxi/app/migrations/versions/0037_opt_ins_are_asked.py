"""when a request for double opt-in was put to its customer."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("opt_in") as batch:
        batch.add_column(sa.Column("sent_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("due_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
        batch.create_index(batch.f("ix_opt_in_due_at"), ["due_at"])
    with op.batch_alter_table("opt_in") as batch:
        batch.alter_column("attempts", server_default=None)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("opt_in") as batch:
        batch.drop_index(batch.f("ix_opt_in_due_at"))
        batch.drop_column("attempts")
        batch.drop_column("due_at")
        batch.drop_column("sent_at")
