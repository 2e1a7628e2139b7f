"""Where Alembic meets the database: the connection and the tables come from ``app.migrate``."""

from typing import Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.sql.schema import SchemaItem


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """Write a column's database type into a revision, not the code's type over it."""
    if kind == "type" and isinstance(item, sa.TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    return False


def include_object(
    _item: SchemaItem, _name: str | None, kind: str, reflected: bool, other: SchemaItem | None
) -> bool:
    """Leave tables alone that no room named: a revision never drops what it does not know."""
    return not (kind == "table" and reflected and other is None)


connection: sa.Connection = context.config.attributes["connection"]
metadatas: list[sa.MetaData] = context.config.attributes["metadatas"]
context.configure(
    connection=connection,
    target_metadata=metadatas,
    render_as_batch=True,  # a plain ALTER fails on SQLite
    compare_type=True,
    render_item=render_item,
    include_object=include_object,
)
context.run_migrations()
