"""what was told of products"""

import sqlalchemy as sa
from alembic import op

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "told_product",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("product_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "product_id", name=op.f("pk_told_product")),
    )


def downgrade() -> None:
    """From this revision."""
    op.drop_table("told_product")
