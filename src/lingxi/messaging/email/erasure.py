"""Erasure: what e-mail keeps of a person."""

import sqlalchemy as sa

from lingxi.messaging.email.tables import mail_hit, opt_in, soft_bounce


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Remove hits, soft bounces and open requests of these customers; the rows removed.

    The list of addresses that are not written to stays: it names nobody, and holds no more than
    what is needed to keep a no that outlives everything else.
    """
    removed = 0
    for table in (mail_hit, soft_bounce, opt_in):
        gone = sa.delete(table).where(table.c.customer.in_(sorted(customers)))
        removed += tx.execute(gone).rowcount
    return removed
