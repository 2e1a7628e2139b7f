"""codes of a shop's own orders that redeemed nothing"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "coupon_stray",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_coupon_stray")),
    )
    with op.batch_alter_table("coupon_stray") as batch:
        batch.create_index(batch.f("ix_coupon_stray_at"), ["at"], unique=False)


def downgrade() -> None:
    """From this revision."""
    op.drop_table("coupon_stray")
