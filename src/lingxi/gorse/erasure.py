"""Erasing customers from this room."""

from sqlalchemy import Connection, delete

from lingxi.gorse.tables import feedback


def forget(tx: Connection, customers: frozenset[int]) -> int:
    """Remove the feedback of these customers; the number of rows removed."""
    wanted = sorted(customers)
    removed = 0
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        removed += tx.execute(delete(feedback).where(feedback.c.customer.in_(part))).rowcount
    return removed
