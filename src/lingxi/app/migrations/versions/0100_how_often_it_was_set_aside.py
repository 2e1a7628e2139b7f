"""how often it was set aside"""

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = "0091"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "quarantine_seen",
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("content", name=op.f("pk_quarantine_seen")),
    )
    with op.batch_alter_table("quarantine_seen") as batch:
        batch.create_index(op.f("ix_quarantine_seen_import_id"), ["import_id"])
        batch.create_index(op.f("ix_quarantine_seen_at"), ["at"])
    with op.batch_alter_table("quarantine_message") as batch:
        batch.add_column(sa.Column("times", sa.BigInteger(), server_default="1", nullable=False))


def downgrade() -> None:
    """From this revision."""
    with op.batch_alter_table("quarantine_message") as batch:
        batch.drop_column("times")
    op.drop_table("quarantine_seen")
