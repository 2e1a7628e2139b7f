"""The tables of policy."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "planned_action",
        sa.Column(
            "customer",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("segment", sa.String(length=24), nullable=True),
        sa.Column("value_cents", sa.BigInteger(), nullable=False),
        sa.Column("churn_probability", sa.Float(), nullable=True),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("rule", sa.String(length=24), nullable=False),
        sa.Column("offer", sa.String(length=24), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("item_ids", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expected_value_cents", sa.BigInteger(), nullable=True),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_planned_action")),
    )
    with op.batch_alter_table("planned_action", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_planned_action_action_expected_value_cents_customer"),
            ["action", "expected_value_cents", "customer"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_planned_action_expected_value_cents_customer"),
            ["expected_value_cents", "customer"],
            unique=False,
        )


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("planned_action", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_planned_action_expected_value_cents_customer"))
        batch_op.drop_index(batch_op.f("ix_planned_action_action_expected_value_cents_customer"))

    op.drop_table("planned_action")
