"""Which worker moves which runs: runs are dealt out to lanes, lanes to the workers that are there.

A lease is renewed a few times within its length, so a run costs one write a step and not two. A
worker that was paused past its lease finds the lane with another: what it had prepared is left out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

import sqlalchemy as sa

from lingxi.journeys.run import LANES
from lingxi.journeys.tables import lane, worker
from lingxi.store import Store
from lingxi.store.keyed import insert_or_ignore, upsert
from lingxi.store.prepared import Prepared
from lingxi.store.tables import to_micros

LEASE = timedelta(seconds=30)
_RENEW = LEASE / 3
_OWNED = Prepared(
    sa.select(lane.c.lane).where(
        lane.c.owner == sa.bindparam("owner"),
        sa.type_coerce(lane.c.until, sa.BigInteger) > sa.bindparam("now", type_=sa.BigInteger),
    ),
    "owner",
    "now",
)


class Lanes:
    """The lanes of one worker."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store, self.owner = store, owner
        self._held: tuple[int, ...] = ()
        self._looked_at: datetime | None = None

    def hold(self, now: datetime) -> Sequence[int]:
        """The lanes that are ours now; leases are renewed and shared out when it is time."""
        looked = self._looked_at
        if looked is None or not looked <= now < looked + _RENEW:
            with self._store.write() as tx:
                self._held = self._share(tx, now)
            self._looked_at = now
        return self._held

    def owned(self, tx: sa.Connection, now: datetime) -> frozenset[int]:
        """Those that are still ours, seen by the transaction that is about to write."""
        return frozenset(row[0] for row in _OWNED.fetch(tx, self.owner, to_micros(now)))

    def release(self) -> None:
        """Let others have them at once."""
        with self._store.write() as tx:
            tx.execute(sa.delete(worker).where(worker.c.owner == self.owner))
            tx.execute(sa.update(lane).where(lane.c.owner == self.owner).values(owner=""))
        self._held, self._looked_at = (), None

    def _share(self, tx: sa.Connection, now: datetime) -> tuple[int, ...]:
        upsert(tx, worker, [{"owner": self.owner, "seen_at": now}])
        gone = (worker.c.seen_at <= now - LEASE) | (worker.c.seen_at > now + LEASE)
        tx.execute(sa.delete(worker).where(gone))
        number = tx.execute(sa.select(sa.func.count()).select_from(worker)).scalar_one()
        fair = ceil(LANES / max(1, number))
        known = {row.lane: row for row in tx.execute(sa.select(lane))}
        if len(known) < LANES:
            rows = [{"lane": n, "owner": "", "until": now} for n in range(LANES)]
            tx.execute(insert_or_ignore(tx, lane), rows)
            known = {row.lane: row for row in tx.execute(sa.select(lane))}
        ours = [n for n, row in sorted(known.items()) if row.owner == self.owner]
        # a lease that ends far in the future was written before the clock was put back
        free = [
            n
            for n, row in sorted(known.items())
            if row.owner != self.owner
            and (not row.owner or row.until <= now or row.until > now + 2 * LEASE)
        ]
        kept = (ours + free)[:fair]
        given_up = [n for n in ours if n not in kept]
        if given_up:
            tx.execute(sa.update(lane).where(lane.c.lane.in_(given_up)).values(owner=""))
        if kept:
            own = {"owner": self.owner, "until": now + LEASE}
            tx.execute(sa.update(lane).where(lane.c.lane.in_(kept)).values(**own))
        return tuple(kept)
