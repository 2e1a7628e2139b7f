"""addresses not to write to, soft bounces, hits of links, counts of mail, double opt-in."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0023"
branch_labels = None
depends_on = None

_SUBJECT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    _create_mail_day()
    _create_mail_hit()
    _create_mail_report()
    _create_mail_state()
    _create_opt_in()
    _create_soft_bounce()
    _create_suppression()


def _create_mail_day() -> None:
    op.create_table(
        "mail_day",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "provider", "outcome", name=op.f("pk_mail_day")),
    )


def _create_mail_hit() -> None:
    op.create_table(
        "mail_hit",
        sa.Column("id", _SUBJECT, nullable=False),
        sa.Column("message", sa.String(length=32), nullable=False),
        sa.Column("customer", _SUBJECT, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("link", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("machine", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_hit")),
    )
    op.create_index(op.f("ix_mail_hit_at"), "mail_hit", ["at"])
    op.create_index(op.f("ix_mail_hit_customer"), "mail_hit", ["customer"])


def _create_mail_report() -> None:
    op.create_table(
        "mail_report",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_mail_report")),
    )
    op.create_index(op.f("ix_mail_report_at"), "mail_report", ["at"])


def _create_mail_state() -> None:
    op.create_table(
        "mail_state",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mail_state")),
    )


def _create_opt_in() -> None:
    op.create_table(
        "opt_in",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer", _SUBJECT, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("tag", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("text_version", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_in")),
    )
    op.create_index(op.f("ix_opt_in_asked_at"), "opt_in", ["asked_at"])
    op.create_index(op.f("ix_opt_in_customer"), "opt_in", ["customer"])


def _create_soft_bounce() -> None:
    op.create_table(
        "soft_bounce",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=32), nullable=False),
        sa.Column("customer", _SUBJECT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", "message", name=op.f("pk_soft_bounce")),
    )
    op.create_index(op.f("ix_soft_bounce_customer"), "soft_bounce", ["customer"])


def _create_suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_suppression")),
    )
    op.create_index(op.f("ix_suppression_at"), "suppression", ["at"])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_index(op.f("ix_suppression_at"), "suppression")
    op.drop_table("suppression")
    op.drop_index(op.f("ix_soft_bounce_customer"), "soft_bounce")
    op.drop_table("soft_bounce")
    op.drop_index(op.f("ix_opt_in_asked_at"), "opt_in")
    op.drop_index(op.f("ix_opt_in_customer"), "opt_in")
    op.drop_table("opt_in")
    op.drop_table("mail_state")
    op.drop_index(op.f("ix_mail_report_at"), "mail_report")
    op.drop_table("mail_report")
    op.drop_index(op.f("ix_mail_hit_at"), "mail_hit")
    op.drop_index(op.f("ix_mail_hit_customer"), "mail_hit")
    op.drop_table("mail_hit")
    op.drop_table("mail_day")
