"""What every room holds on a person, read from its tables: none can be forgotten."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.app.rooms import METADATAS

_ELSEWHERE = frozenset(
    {
        "event",
        "identity",
        "identifier",
        "merge",
        "refused_link",
        "private",
        "trait",
        "consent",
        "customer_profile",
        "item_history",
        "customer_state",
        "planned_action",
    }
)
"""Tables whose rows an export tells in fields of their own."""


def person_tables() -> Iterator[tuple[sa.Table, sa.Column[int]]]:
    """Every table with rows of persons, and its column that says whose a row is."""
    for metadata in METADATAS:
        for table in metadata.sorted_tables:
            for name in ("customer", "subject"):
                column = table.c.get(name)
                if column is not None and isinstance(column.type, sa.Integer):
                    yield table, column
                    break


def list_held(
    tx: Connection, customer: int, subjects: Collection[int]
) -> dict[str, list[Mapping[str, object]]]:
    """Rows of a person by table, without whose they are, of those tables that hold any; those that
    an export tells in fields of their own are left out, as are sealed values."""
    held: dict[str, list[Mapping[str, object]]] = {}
    for table, column in person_tables():
        if table.name in _ELSEWHERE:
            continue
        own = column == customer if column.name == "customer" else column.in_(sorted(subjects))
        shown = [
            c
            for c in table.c
            if c.name not in ("customer", "subject") and not isinstance(c.type, sa.LargeBinary)
        ]
        rows = tx.execute(sa.select(*shown).where(own).order_by(*table.primary_key)).mappings()
        found: list[Mapping[str, object]] = [
            {str(name): _plain(value) for name, value in row.items()} for row in rows
        ]
        if found:
            held[table.name] = found
    return held


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool | datetime | list | dict):
        return value
    return repr(value)


__all__ = ["list_held", "person_tables"]
