"""merges and refused links."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_identity_refusal()
    _create_kept_apart()
    _create_merge()
    _change_identifier()


def _create_identity_refusal() -> None:
    op.create_table(
        "identity_refusal",
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "rule", "kind", name=op.f("pk_identity_refusal")),
    )


def _create_kept_apart() -> None:
    op.create_table(
        "kept_apart",
        sa.Column(
            "one",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "other",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("one", "other", name=op.f("pk_kept_apart")),
    )
    with op.batch_alter_table("kept_apart", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_apart_other"), ["other"], unique=False)


def _create_merge() -> None:
    op.create_table(
        "merge",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merged", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("undone_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge")),
    )
    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_merge_kept"), ["kept"], unique=False)
        batch_op.create_index(batch_op.f("ix_merge_merged"), ["merged"], unique=False)


def _change_identifier() -> None:
    with op.batch_alter_table("identifier", schema=None) as batch_op:
        batch_op.add_column(sa.Column("since", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("identifier", schema=None) as batch_op:
        batch_op.drop_column("since")

    with op.batch_alter_table("merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_merge_merged"))
        batch_op.drop_index(batch_op.f("ix_merge_kept"))

    op.drop_table("merge")
    with op.batch_alter_table("kept_apart", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_apart_other"))

    op.drop_table("kept_apart")
    op.drop_table("identity_refusal")
