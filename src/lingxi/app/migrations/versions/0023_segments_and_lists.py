"""segments, their members and timers, and lists by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0029"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    _create_segments()
    _create_following()
    _create_lists()


def _create_segments() -> None:
    op.create_table(
        "segment",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("evaluated", sa.Integer, nullable=False),
        sa.Column("evaluated_at", sa.BigInteger),
        sa.Column("members", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_segment"),
    )
    op.create_table(
        "segment_member",
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("customer", _NUMBER, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("segment", "customer", name="pk_segment_member"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segment_member_customer", "segment_member", ["customer"])


def _create_following() -> None:
    op.create_table(
        "segment_timer",
        sa.Column("customer", _NUMBER, nullable=False),
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("customer", "segment", name="pk_segment_timer"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_segment_timer_due_at", "segment_timer", ["due_at"])
    op.create_table(
        "segment_day",
        sa.Column("segment", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("entered", sa.BigInteger, nullable=False),
        sa.Column("left", sa.BigInteger, nullable=False),
        sa.Column("members", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("segment", "day", name="pk_segment_day"),
    )
    op.create_table(
        "segment_mark",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_segment_mark"),
    )


def _create_lists() -> None:
    op.create_table(
        "customer_list",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_customer_list"),
    )
    op.create_table(
        "customer_list_entry",
        sa.Column("list", sa.String(64), nullable=False),
        sa.Column("subject", _NUMBER, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("list", "subject", name="pk_customer_list_entry"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_list_entry_subject", "customer_list_entry", ["subject"])


def downgrade() -> None:
    """Back to the one before."""
    for table in (
        "customer_list_entry",
        "customer_list",
        "segment_mark",
        "segment_day",
        "segment_timer",
        "segment_member",
        "segment",
    ):
        op.drop_table(table)
