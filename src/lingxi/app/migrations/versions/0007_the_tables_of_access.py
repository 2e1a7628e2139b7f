"""The tables of access."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    _create_access_audit()
    _create_access_key()
    _create_access_user()
    _create_access_window()
    _create_access_session()


def _create_access_audit() -> None:
    op.create_table(
        "access_audit",
        sa.Column("audit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=48), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_access_audit")),
    )
    with op.batch_alter_table("access_audit", schema=None) as batch_op:
        batch_op.create_index("access_audit_at", ["at"], unique=False)


def _create_access_key() -> None:
    op.create_table(
        "access_key",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_access_key")),
    )


def _create_access_user() -> None:
    op.create_table(
        "access_user",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("password_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_access_user")),
        sa.UniqueConstraint("name", name=op.f("uq_access_user_name")),
    )


def _create_access_window() -> None:
    op.create_table(
        "access_window",
        sa.Column("bucket", sa.String(length=160), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_access_window")),
    )
    with op.batch_alter_table("access_window", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_access_window_expires_at"), ["expires_at"], unique=False
        )


def _create_access_session() -> None:
    op.create_table(
        "access_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["access_user.user_id"], name=op.f("fk_access_session_user_id_access_user")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_session")),
    )
    with op.batch_alter_table("access_session", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_access_session_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_access_session_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("access_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_session_user_id"))
        batch_op.drop_index(batch_op.f("ix_access_session_expires_at"))

    op.drop_table("access_session")
    with op.batch_alter_table("access_window", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_access_window_expires_at"))

    op.drop_table("access_window")
    op.drop_table("access_user")
    op.drop_table("access_key")
    with op.batch_alter_table("access_audit", schema=None) as batch_op:
        batch_op.drop_index("access_audit_at")

    op.drop_table("access_audit")
