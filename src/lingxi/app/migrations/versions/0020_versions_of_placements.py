"""versions of placements."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "placement_version",
        sa.Column(
            "version",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_placement_version")),
    )
    with op.batch_alter_table("placement_version", schema=None) as batch:
        batch.create_index(
            batch.f("ix_placement_version_name_version"), ["name", "version"], unique=False
        )


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("placement_version", schema=None) as batch:
        batch.drop_index(batch.f("ix_placement_version_name_version"))
    op.drop_table("placement_version")
