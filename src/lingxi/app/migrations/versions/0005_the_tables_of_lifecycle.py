"""The tables of lifecycle."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "customer_state",
        sa.Column(
            "customer",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("segment", sa.String(length=24), nullable=True),
        sa.Column("r", sa.Integer(), nullable=True),
        sa.Column("f", sa.Integer(), nullable=True),
        sa.Column("m", sa.Integer(), nullable=True),
        sa.Column("churn_probability", sa.Float(), nullable=True),
        sa.Column("churn_level", sa.String(length=8), nullable=True),
        sa.Column("churn_reasons", sa.Text(), nullable=True),
        sa.Column("churn_model", sa.String(length=24), nullable=True),
        sa.Column("value_cents", sa.BigInteger(), nullable=True),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_customer_state")),
    )
    with op.batch_alter_table("customer_state", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_state_churn_probability_customer"),
            ["churn_probability", "customer"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_customer_state_stage_customer"), ["stage", "customer"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_customer_state_value_cents_customer"),
            ["value_cents", "customer"],
            unique=False,
        )


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("customer_state", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_state_value_cents_customer"))
        batch_op.drop_index(batch_op.f("ix_customer_state_stage_customer"))
        batch_op.drop_index(batch_op.f("ix_customer_state_churn_probability_customer"))

    op.drop_table("customer_state")
