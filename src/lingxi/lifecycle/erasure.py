"""Erasure: what this room keeps of a person."""

import sqlalchemy as sa

from lingxi.lifecycle.tables import customer_state


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Remove everything that the lifecycle keeps of these customers; the rows removed.

    Models hold weights and quantiles only, no row of any customer. Stage changes are events: the
    log forgets them.
    """
    query = sa.delete(customer_state).where(customer_state.c.customer.in_(sorted(customers)))
    return tx.execute(query).rowcount
