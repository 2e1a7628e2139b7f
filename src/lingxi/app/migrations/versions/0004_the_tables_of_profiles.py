"""The tables of profiles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_customer_profile()
    _index_customer_profile()
    _create_customer_trait()
    _create_item_history()


def _create_customer_profile() -> None:
    op.create_table(
        "customer_profile",
        sa.Column(
            "customer",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("carts", sa.Integer(), nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("cancelled_orders", sa.Integer(), nullable=False),
        sa.Column("refunds", sa.Integer(), nullable=False),
        sa.Column("revenue_cents", sa.BigInteger(), nullable=False),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("first_order_at", sa.BigInteger(), nullable=True),
        sa.Column("last_order_at", sa.BigInteger(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("country_at", sa.BigInteger(), nullable=True),
        sa.Column("ledger", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_customer_profile")),
    )


def _index_customer_profile() -> None:
    with op.batch_alter_table("customer_profile", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_customer_profile_country_customer"),
            ["country", "customer"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_customer_profile_last_order_at_customer"),
            ["last_order_at", "customer"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_customer_profile_orders_customer"), ["orders", "customer"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_customer_profile_revenue_cents_customer"),
            ["revenue_cents", "customer"],
            unique=False,
        )


def _create_customer_trait() -> None:
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


def _create_item_history() -> None:
    op.create_table(
        "item_history",
        sa.Column(
            "customer",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.Column("carts", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("last_order_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("customer", "item_id", name=op.f("pk_item_history")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("item_history")
    op.drop_table("customer_trait")
    with op.batch_alter_table("customer_profile", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_profile_revenue_cents_customer"))
        batch_op.drop_index(batch_op.f("ix_customer_profile_orders_customer"))
        batch_op.drop_index(batch_op.f("ix_customer_profile_last_order_at_customer"))
        batch_op.drop_index(batch_op.f("ix_customer_profile_country_customer"))

    op.drop_table("customer_profile")
