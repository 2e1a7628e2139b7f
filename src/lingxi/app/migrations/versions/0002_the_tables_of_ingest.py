"""The tables of ingest."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_document()
    _create_identifier()
    _create_import_run()
    _create_learnt_item()
    _create_quarantine()
    _create_quarantine_mended()


def _create_document() -> None:
    op.create_table(
        "document",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("tied_lines", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_document")),
    )


def _create_identifier() -> None:
    op.create_table(
        "identifier",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("subject", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_identifier")),
        sa.UniqueConstraint("subject", name=op.f("uq_identifier_subject")),
    )
    with op.batch_alter_table("identifier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identifier_sealed"), ["sealed"], unique=False)


def _create_import_run() -> None:
    op.create_table(
        "import_run",
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("options", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_run")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_started_at"), ["started_at"], unique=False)


def _create_learnt_item() -> None:
    op.create_table(
        "learnt_item",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_learnt_item")),
    )
    with op.batch_alter_table("learnt_item", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_learnt_item_folded"), ["folded"], unique=False)


def _create_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("import_id", sa.String(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_quarantine_fingerprint")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_quarantine_import_id"), ["import_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_quarantine_reason"), ["reason"], unique=False)
        batch_op.create_index(batch_op.f("ix_quarantine_sealed"), ["sealed"], unique=False)


def _create_quarantine_mended() -> None:
    op.create_table(
        "quarantine_mended",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_quarantine_mended")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("quarantine_mended")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_sealed"))
        batch_op.drop_index(batch_op.f("ix_quarantine_reason"))
        batch_op.drop_index(batch_op.f("ix_quarantine_import_id"))
        batch_op.drop_index(batch_op.f("ix_quarantine_expires_at"))

    op.drop_table("quarantine")
    with op.batch_alter_table("learnt_item", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_learnt_item_folded"))

    op.drop_table("learnt_item")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_started_at"))

    op.drop_table("import_run")
    with op.batch_alter_table("identifier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identifier_sealed"))

    op.drop_table("identifier")
    op.drop_table("document")
