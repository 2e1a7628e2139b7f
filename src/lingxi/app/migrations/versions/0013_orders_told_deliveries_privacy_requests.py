"""orders told, deliveries, privacy requests."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_delivery()
    _create_order_state()
    _create_privacy_request()


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "delivery_id", name=op.f("pk_delivery")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_at"), ["at"], unique=False)


def _create_order_state() -> None:
    op.create_table(
        "order_state",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("subject", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("tellings", sa.Integer(), nullable=False),
        sa.Column("goods_cents", sa.BigInteger(), nullable=False),
        sa.Column("refunded_cents", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_order_state")),
    )
    with op.batch_alter_table("order_state", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_state_subject"), ["subject"], unique=False)


def _create_privacy_request() -> None:
    op.create_table(
        "privacy_request",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_request")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("privacy_request")
    with op.batch_alter_table("order_state", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_state_subject"))

    op.drop_table("order_state")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_at"))

    op.drop_table("delivery")
