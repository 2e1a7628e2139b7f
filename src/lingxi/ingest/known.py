"""How many customers the shop knows."""

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.merging.names import read_version
from lingxi.store.tables import identity


class KnownCustomers:
    """Counts the customers that the shop knows by an id of its own; counted once, and again only
    when somebody has come, was merged, told apart or erased."""

    def __init__(self) -> None:
        self._counted: tuple[object, int] = (None, 0)

    def count(self, tx: Connection) -> int:
        """How many there are, as this transaction sees it."""
        version = read_version(tx)
        before, n = self._counted
        if version != before:
            query = sa.select(sa.func.count(sa.distinct(identity.c.customer)))
            n = tx.execute(query.where(identity.c.known)).scalar_one()
            self._counted = version, n
        return n
