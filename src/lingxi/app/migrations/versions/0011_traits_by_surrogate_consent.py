"""traits by surrogate, consent."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_consent()
    _create_private()
    _create_trait()
    _move_traits()


def _create_consent() -> None:
    op.create_table(
        "consent",
        sa.Column(
            "customer",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "purpose", "channel", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_consent_purpose_channel"), ["purpose", "channel"], unique=False
        )


def _create_private() -> None:
    op.create_table(
        "private",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("subject", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_private")),
    )
    with op.batch_alter_table("private", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_private_subject"), ["subject"], unique=False)


def _create_trait() -> None:
    op.create_table(
        "trait",
        sa.Column(
            "subject",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "name", name=op.f("pk_trait")),
    )


def _move_traits() -> None:
    op.execute(
        "INSERT INTO trait (subject, name, value, updated_at) "
        "SELECT customer, name, value, updated_at FROM customer_trait"
    )
    op.drop_table("customer_trait")


def downgrade() -> None:
    """Back to the one before."""
    op.create_table(
        "customer_trait",
        sa.Column(
            "customer",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "name", name=op.f("pk_customer_trait")),
    )
    op.drop_table("trait")
    with op.batch_alter_table("private", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_private_subject"))

    op.drop_table("private")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_purpose_channel"))

    op.drop_table("consent")
