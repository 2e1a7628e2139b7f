"""messages set aside and counts of sources."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_quarantine_message()
    _create_quarantine_person()
    _create_source_count()


def _create_quarantine_message() -> None:
    op.create_table(
        "quarantine_message",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_message")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_quarantine_message_fingerprint")),
    )
    with op.batch_alter_table("quarantine_message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_quarantine_message_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_quarantine_message_reason"), ["reason"], unique=False)
        batch_op.create_index(batch_op.f("ix_quarantine_message_source"), ["source"], unique=False)


def _create_quarantine_person() -> None:
    op.create_table(
        "quarantine_person",
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column(
            "message",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("sealed", "message", name=op.f("pk_quarantine_person")),
    )
    with op.batch_alter_table("quarantine_person", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_person_message"), ["message"], unique=False)


def _create_source_count() -> None:
    op.create_table(
        "source_count",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "source", "hour", "outcome", "reason", name=op.f("pk_source_count")
        ),
    )
    with op.batch_alter_table("source_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_count_hour"), ["hour"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("source_count", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_source_count_hour"))

    op.drop_table("source_count")
    with op.batch_alter_table("quarantine_person", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_person_message"))

    op.drop_table("quarantine_person")
    with op.batch_alter_table("quarantine_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_message_source"))
        batch_op.drop_index(batch_op.f("ix_quarantine_message_reason"))
        batch_op.drop_index(batch_op.f("ix_quarantine_message_expires_at"))

    op.drop_table("quarantine_message")
