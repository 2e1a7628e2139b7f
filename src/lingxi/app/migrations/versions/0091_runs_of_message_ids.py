"""ids of messages in runs instead of a tree of random ids"""

import sqlalchemy as sa
from alembic import op

from lingxi.store.message_ids import message_ids

revision = "0091"
down_revision = "0061"
branch_labels = None
depends_on = None

_NAMED = "substr(event_id, 1, 3) <> 'web'"


def upgrade() -> None:
    """To this revision. The log is copied once, and its messages are read once."""
    op.create_table(
        "id_run",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ids", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_id_run")),
    )
    with op.batch_alter_table("event") as batch:
        batch.drop_constraint("uq_event_event_id", type_="unique")
    op.create_index(
        op.f("ix_event_event_id"),
        "event",
        ["event_id"],
        unique=True,
        sqlite_where=sa.text(_NAMED),
        postgresql_where=sa.text(_NAMED),
    )
    message_ids(op.get_bind()).close_runs(op.get_bind())


def downgrade() -> None:
    """From this revision."""
    op.drop_index(op.f("ix_event_event_id"), table_name="event")
    with op.batch_alter_table("event") as batch:
        batch.create_unique_constraint(op.f("uq_event_event_id"), ["event_id"])
    op.drop_table("id_run")
