"""messages and templates."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_message()
    _index_message()
    _create_onsite()
    _create_template()
    _create_template_version()


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("message_class", sa.String(length=16), nullable=False),
        sa.Column("journey", sa.String(length=64), nullable=False),
        sa.Column("run", sa.String(length=64), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("send_before", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("reference", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )


def _index_message() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_customer_queued_at"), ["customer", "queued_at"], unique=False
        )
        batch_op.create_index(
            "ix_message_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_message_journey_run"), ["journey", "run"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_queued_at_id"), ["queued_at", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_template_queued_at"), ["template", "queued_at"], unique=False
        )


def _create_onsite() -> None:
    op.create_table(
        "onsite",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_onsite")),
    )
    with op.batch_alter_table("onsite", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_onsite_customer"), ["customer"], unique=False)


def _create_template() -> None:
    op.create_table(
        "template",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("draft", sa.Text(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_template")),
    )


def _create_template_version() -> None:
    op.create_table(
        "template_version",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_template_version")),
    )


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("template_version")
    op.drop_table("template")
    with op.batch_alter_table("onsite", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_onsite_customer"))

    op.drop_table("onsite")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_template_queued_at"))
        batch_op.drop_index(batch_op.f("ix_message_queued_at_id"))
        batch_op.drop_index(batch_op.f("ix_message_journey_run"))
        batch_op.drop_index(
            "ix_message_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_message_customer_queued_at"))

    op.drop_table("message")
