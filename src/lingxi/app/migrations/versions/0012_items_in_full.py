"""items in full."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.add_column(sa.Column("category_path", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("cost_cents", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("attributes", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("image", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("url", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("available_from", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("available_until", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("group_id", sa.String(length=200), nullable=True))
        batch_op.add_column(
            sa.Column("removed", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(
            sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.create_index(batch_op.f("ix_item_group_id"), ["group_id"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_item_group_id"))
        batch_op.drop_column("version")
        batch_op.drop_column("removed")
        batch_op.drop_column("group_id")
        batch_op.drop_column("available_until")
        batch_op.drop_column("available_from")
        batch_op.drop_column("url")
        batch_op.drop_column("image")
        batch_op.drop_column("attributes")
        batch_op.drop_column("cost_cents")
        batch_op.drop_column("category_path")
