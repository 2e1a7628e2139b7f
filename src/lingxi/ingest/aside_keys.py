"""Keys of what is set aside: one for each day on which something expires, destroyed after it.

Bytes in quarantine are deleted when they expire, but a backup keeps its copy. Without the day's
key, which no backup holds, nobody can read that copy any more.
"""

from datetime import datetime

from lingxi.store import Store
from lingxi.store.tables import EPOCH


def owner_of(expires_at: datetime) -> int:
    """The pseudo-customer under whose key lies what expires on that day; no real one is negative.

    >>> owner_of(datetime(1970, 1, 11, 23, 59, tzinfo=EPOCH.tzinfo))
    -10
    """
    return -(expires_at - EPOCH).days


def destroy_expired(store: Store, now: datetime) -> int:
    """Destroy the keys of the days that are over. Keys destroyed."""
    over = store.keyring.list_living(owner_of(now) + 1, -1)
    return store.keyring.destroy(over) if over else 0
