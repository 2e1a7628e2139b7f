"""how far topics were read, and what waits at sources that are pulled from."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0028"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "topic_offset",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("next", _NUMBER, nullable=False),
        sa.Column("behind", _NUMBER, nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_topic_offset")),
    )
    with op.batch_alter_table("pull_state") as batch:
        batch.add_column(sa.Column("behind", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("pull_state") as batch:
        batch.drop_column("behind")
    op.drop_table("topic_offset")
