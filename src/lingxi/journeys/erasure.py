"""Erasure: what this room keeps of a person."""

import sqlalchemy as sa

from lingxi.journeys.tables import mark, run


def forget(tx: sa.Connection, customers: frozenset[int]) -> int:
    """Remove the runs and marks of these customers; the rows removed.

    Counts of steps are of nobody. Beginnings and ends are events: the log forgets them.
    """
    wanted = sorted(customers)
    theirs = run.c.customer.in_(wanted) | run.c.subject.in_(wanted)
    runs = tx.execute(sa.delete(run).where(theirs)).rowcount
    return runs + tx.execute(sa.delete(mark).where(mark.c.customer.in_(wanted))).rowcount
