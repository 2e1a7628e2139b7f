"""watched folders, and sources that are pulled from."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.create_table(
        "watched_folder",
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("folder", name=op.f("pk_watched_folder")),
    )
    op.create_table(
        "watched_file",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=True),
        sa.Column("lines_in", sa.BigInteger(), nullable=False),
        sa.Column("lines_kept", sa.BigInteger(), nullable=False),
        sa.Column("events_new", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_watched_file")),
    )
    op.create_index(op.f("ix_watched_file_at"), "watched_file", ["at"])
    op.create_table(
        "pull_state",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("pulled_at", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pull_state")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("pull_state")
    op.drop_index(op.f("ix_watched_file_at"), table_name="watched_file")
    op.drop_table("watched_file")
    op.drop_table("watched_folder")
