"""the plan names offers of the shop"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0037"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _resize(24, 40)


def downgrade() -> None:
    _resize(40, 24)


def _resize(before: int, after: int) -> None:
    # PostgreSQL forgets the collation of a column whose type is changed, unless it is said again
    code_point = "C" if op.get_bind().dialect.name == "postgresql" else None
    with op.batch_alter_table("planned_action") as batch_op:
        batch_op.alter_column(
            "offer",
            existing_type=sa.String(length=before),
            type_=sa.String(length=after, collation=code_point),
            existing_nullable=False,
        )
