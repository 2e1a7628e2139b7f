"""runs of journeys."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0025"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    """To this revision."""
    _create_runs()
    _index_runs()
    _create_counts()
    _create_leases()
    _create_memory()


def _create_runs() -> None:
    op.create_table(
        "journey_run",
        sa.Column("id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("journey", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("customer", _NUMBER, nullable=False),
        sa.Column("subject", _NUMBER, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("node", sa.String(40), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("entered_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.String(16)),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journey_run"),
    )


def _index_runs() -> None:
    op.create_index(
        "ix_journey_run_customer_journey_key", "journey_run", ["customer", "journey", "key"]
    )
    op.create_index("ix_journey_run_subject", "journey_run", ["subject"])
    op.create_index(
        "ix_journey_run_journey_started_at_id", "journey_run", ["journey", "started_at", "id"]
    )
    op.create_index(
        "ix_journey_run_due",
        "journey_run",
        ["lane", "due_at"],
        sqlite_where=_DUE,
        postgresql_where=_DUE,
    )


def _create_counts() -> None:
    op.create_table(
        "journey_step_count",
        sa.Column("journey", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("node", sa.String(40), nullable=False),
        sa.Column("port", sa.String(100), nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("journey", "version", "node", "port", name="pk_journey_step_count"),
    )


def _create_leases() -> None:
    op.create_table(
        "journey_lane",
        sa.Column("lane", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_journey_lane"),
    )
    op.create_table(
        "journey_worker",
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_journey_worker"),
    )


def _create_memory() -> None:
    op.create_table(
        "journey_occurrence",
        sa.Column("journey", sa.String(60), nullable=False),
        sa.Column("version", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("slot", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("after", _NUMBER, nullable=False),
        sa.Column("entered", sa.BigInteger, nullable=False),
        sa.Column("done_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("journey", "version", "slot", name="pk_journey_occurrence"),
    )
    op.create_table(
        "journey_mark",
        sa.Column("journey", sa.String(60), nullable=False),
        sa.Column("customer", _NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("journey", "customer", name="pk_journey_mark"),
    )
    op.create_index("ix_journey_mark_customer", "journey_mark", ["customer"])


def downgrade() -> None:
    """Back to the one before."""
    for table in (
        "journey_mark",
        "journey_occurrence",
        "journey_worker",
        "journey_lane",
        "journey_step_count",
        "journey_run",
    ):
        op.drop_table(table)
