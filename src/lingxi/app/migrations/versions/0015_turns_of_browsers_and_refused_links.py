"""turns of browsers and refused links."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

_MARK = "\x1f"
_BATCH = 1_000


def _move_turns() -> None:
    """Browsers set aside under a mark that an id could have come under one that none can."""
    connection = op.get_bind()
    known = sa.table(
        "identifier",
        sa.column("kind", sa.String),
        sa.column("value", sa.String),
        sa.column("subject", sa.BigInteger),
        sa.column("since", sa.BigInteger),
    )
    turn = sa.table(
        "browser_turn",
        sa.column("subject", sa.BigInteger),
        sa.column("kind", sa.String),
        sa.column("value", sa.String),
        sa.column("at", sa.BigInteger),
        sa.column("shared", sa.Boolean),
    )
    c = known.c
    marked = c.value.contains("~") & c.kind.in_(("anonymous", "device"))
    last = -1
    while rows := connection.execute(
        sa.select(c.kind, c.value, c.subject, c.since)
        .where(marked, c.subject > last)
        .order_by(c.subject)
        .limit(_BATCH)
    ).all():
        last = rows[-1].subject
        for kind, value, subject, since in rows:
            plain, _, number = value.rpartition("~")
            if number == str(subject):
                old = sa.update(known).where(c.subject == subject)
                connection.execute(old.values(value=f"{plain}{_MARK}{subject}"))
                made = sa.insert(turn).values(
                    subject=subject, kind=kind, value=plain, at=since or 0, shared=False
                )
                connection.execute(made)


def upgrade() -> None:
    """To this revision."""
    _create_browser_turn()
    _create_refused_link()
    _move_turns()


def _create_browser_turn() -> None:
    op.create_table(
        "browser_turn",
        sa.Column(
            "subject",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_browser_turn")),
    )
    with op.batch_alter_table("browser_turn", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_browser_turn_kind_value"), ["kind", "value"], unique=False
        )


def _create_refused_link() -> None:
    op.create_table(
        "refused_link",
        sa.Column(
            "subject",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("other", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("masked", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "rule", "kind", name=op.f("pk_refused_link")),
    )
    with op.batch_alter_table("refused_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refused_link_last_at"), ["last_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_refused_link_other"), ["other"], unique=False)


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("refused_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refused_link_other"))
        batch_op.drop_index(batch_op.f("ix_refused_link_last_at"))

    op.drop_table("refused_link")
    with op.batch_alter_table("browser_turn", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_browser_turn_kind_value"))

    op.drop_table("browser_turn")
