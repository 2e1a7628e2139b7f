"""Erasing customers from this room."""

from sqlalchemy import Connection, delete

from lingxi.profiles.tables import metadata


def forget(tx: Connection, customers: frozenset[int]) -> int:
    """Remove profile, history and traits of these customers; the number of rows removed."""
    wanted = sorted(customers)
    removed = 0
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        for table in metadata.sorted_tables:
            removed += tx.execute(delete(table).where(table.c.customer.in_(part))).rowcount
    return removed
