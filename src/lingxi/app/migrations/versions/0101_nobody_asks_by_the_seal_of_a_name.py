"""nobody asks by the seal of a name"""

from alembic import op

revision = "0101"
down_revision = "0100"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    op.drop_index(op.f("ix_identifier_sealed"), table_name="identifier")


def downgrade() -> None:
    """From this revision."""
    op.create_index(op.f("ix_identifier_sealed"), "identifier", ["sealed"])
