"""Forgetting: no identifier of an erased customer survives in this room."""

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.files.runs import forget_marks
from lingxi.ingest.merging import forget_merges
from lingxi.ingest.order_rows import forget_orders
from lingxi.ingest.sealed import forget_sealed
from lingxi.ingest.tables import consent, identifier, quarantine
from lingxi.ingest.waiting import forget_waiting
from lingxi.store.tables import identity

_BATCH = 500


def forget(tx: Connection, customers: frozenset[int]) -> int:
    """Remove these customers' identifiers and the quarantined lines that name them.

    Call it before the store forgets the identity map. Rows removed.
    """
    removed = 0
    wanted = sorted(customers)
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        subjects = set(part)
        subjects.update(
            tx.execute(sa.select(identity.c.subject).where(identity.c.customer.in_(part))).scalars()
        )
        own = identifier.c.subject.in_(sorted(subjects))
        seals = [s for s in tx.execute(sa.select(identifier.c.sealed).where(own)).scalars() if s]
        for first in range(0, len(seals), _BATCH):
            names = quarantine.c.sealed.in_(seals[first : first + _BATCH])
            removed += tx.execute(sa.delete(quarantine).where(names)).rowcount
            removed += forget_marks(tx, seals[first : first + _BATCH])
        removed += forget_waiting(tx, seals)
        removed += forget_sealed(tx, frozenset(subjects))
        removed += forget_merges(tx, frozenset(subjects))
        removed += forget_orders(tx, sorted(subjects))
        removed += tx.execute(sa.delete(consent).where(consent.c.customer.in_(part))).rowcount
        removed += tx.execute(sa.delete(identifier).where(own)).rowcount
    return removed
