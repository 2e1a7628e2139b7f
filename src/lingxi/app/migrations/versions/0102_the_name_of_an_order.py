"""the name of an order"""

import sqlalchemy as sa
from alembic import op

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    with op.batch_alter_table("order_state") as batch:
        batch.add_column(sa.Column("name", sa.String(), nullable=True))
        batch.create_index(op.f("ix_order_state_name"), ["name"])


def downgrade() -> None:
    """From this revision."""
    with op.batch_alter_table("order_state") as batch:
        batch.drop_index(op.f("ix_order_state_name"))
        batch.drop_column("name")
