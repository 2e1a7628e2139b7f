"""the tables of coupons."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_coupon()
    _create_coupon_entry()
    _create_coupon_offer()
    _create_coupon_redemption()
    _create_coupon_shared()
    _create_coupon_total()


def _create_coupon() -> None:
    op.create_table(
        "coupon",
        sa.Column(
            "coupon",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("offer", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("found_by", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("customer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("key", sa.String(length=160), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("coupon", name=op.f("pk_coupon")),
        sa.UniqueConstraint("found_by", name=op.f("uq_coupon_found_by")),
        sa.UniqueConstraint("offer", "key", name=op.f("uq_coupon_offer_key")),
    )
    with op.batch_alter_table("coupon", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_coupon_customer_offer"), ["customer", "offer"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_coupon_offer_state_coupon"), ["offer", "state", "coupon"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_coupon_state_expires_at"), ["state", "expires_at"], unique=False
        )


def _create_coupon_entry() -> None:
    op.create_table(
        "coupon_entry",
        sa.Column(
            "entry",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("offer", sa.String(length=40), nullable=False),
        sa.Column("coupon", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("target", sa.String(length=12), nullable=False),
        sa.Column("coupons", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.String(length=200), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_coupon_entry")),
    )
    with op.batch_alter_table("coupon_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_coupon_entry_coupon_entry"), ["coupon", "entry"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_coupon_entry_customer"), ["customer"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_coupon_entry_offer_entry"), ["offer", "entry"], unique=False
        )


def _create_coupon_offer() -> None:
    op.create_table(
        "coupon_offer",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_coupon_offer")),
    )


def _create_coupon_redemption() -> None:
    op.create_table(
        "coupon_redemption",
        sa.Column(
            "redemption",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("coupon", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=40), nullable=False),
        sa.Column("customer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_id", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cost_cents", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("voided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("redemption", name=op.f("pk_coupon_redemption")),
        sa.UniqueConstraint("key", name=op.f("uq_coupon_redemption_key")),
    )
    with op.batch_alter_table("coupon_redemption", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_redemption_coupon"), ["coupon"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_coupon_redemption_offer_customer"), ["offer", "customer"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_coupon_redemption_order_id"), ["order_id"], unique=False
        )


def _create_coupon_shared() -> None:
    op.create_table(
        "coupon_shared",
        sa.Column("found_by", sa.String(length=64), nullable=False),
        sa.Column("offer", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("found_by", name=op.f("pk_coupon_shared")),
    )
    with op.batch_alter_table("coupon_shared", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_shared_offer"), ["offer"], unique=False)


def _create_coupon_total() -> None:
    op.create_table(
        "coupon_total",
        sa.Column("offer", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("coupons", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("offer", "account", name=op.f("pk_coupon_total")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("coupon_total")
    with op.batch_alter_table("coupon_shared", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_shared_offer"))

    op.drop_table("coupon_shared")
    with op.batch_alter_table("coupon_redemption", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_redemption_order_id"))
        batch_op.drop_index(batch_op.f("ix_coupon_redemption_offer_customer"))
        batch_op.drop_index(batch_op.f("ix_coupon_redemption_coupon"))

    op.drop_table("coupon_redemption")
    op.drop_table("coupon_offer")
    with op.batch_alter_table("coupon_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_entry_offer_entry"))
        batch_op.drop_index(batch_op.f("ix_coupon_entry_customer"))
        batch_op.drop_index(batch_op.f("ix_coupon_entry_coupon_entry"))

    op.drop_table("coupon_entry")
    with op.batch_alter_table("coupon", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupon_state_expires_at"))
        batch_op.drop_index(batch_op.f("ix_coupon_offer_state_coupon"))
        batch_op.drop_index(batch_op.f("ix_coupon_customer_offer"))

    op.drop_table("coupon")
