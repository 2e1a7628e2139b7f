"""Erasure: what this room keeps of a person."""

import sqlalchemy as sa

from lingxi.messaging.email.erasure import forget as forget_mail
from lingxi.messaging.tables import message, onsite


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Remove every message to these customers, sent or not, and what came back; the rows removed.

    What came of them stays in the log's counts until the log forgets the customer.
    """
    removed = forget_mail(tx, customers)
    for table in (message, onsite):
        removed += tx.execute(
            sa.delete(table).where(table.c.customer.in_(sorted(customers)))
        ).rowcount
    return removed
