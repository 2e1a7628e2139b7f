"""Identifiers looked up before, kept between batches for as long as nobody else changes them."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from lingxi.ingest.identity import SUBJECTS
from lingxi.ingest.merging.people import Name
from lingxi.ingest.tables import identifier
from lingxi.store.counters import allocate, peek
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import identity

MOST = 200_000
_COUNTER = "identity"


def note_change(tx: Connection) -> int:
    """Say that a known identifier or surrogate now belongs to somebody else; the new version.

    Everybody who changes rows of ``identifier`` or ``identity`` says so, in the same transaction;
    whoever only adds rows need not.
    """
    return allocate(tx, _COUNTER, 1)[0]


def read_version(tx: Connection) -> tuple[int, int]:
    """Another one whenever rows of ``identity`` are others: no two states have the same.

    A row that is there changes with a merge, its undoing or an erasure, which say so; a new one has
    a new surrogate.
    """
    return peek(tx, _COUNTER), peek(tx, SUBJECTS)


class Names:
    """What this process knows of identifiers: their surrogates, and the surrogates' customers.

    Only rows that were there before the transaction are remembered, and only until the version in
    the database shows that another process has changed some: what is remembered is always what a
    query would find.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._version = -1
        self._next: int | None = None
        self._subjects: dict[Name, int] = {}
        self._owners: dict[int, int] = {}

    def find(
        self, tx: Connection, wanted: Collection[Name]
    ) -> tuple[dict[Name, int], dict[int, int]]:
        """The surrogates of the names that have one, and the customer of each; copies."""
        version = peek(tx, _COUNTER)
        if version != self._version or len(self._subjects) + len(wanted) > self._most:
            self.clear()
            self._version = version
        known, owners = self._subjects, self._owners
        subjects: dict[Name, int] = {}
        strange = []
        for name in wanted:
            subject = known.get(name)
            if subject is None:
                strange.append(name)
            else:
                subjects[name] = subject
        if strange:
            self._fetch(tx, strange)
            subjects.update((name, known[name]) for name in strange if name in known)
        ownerless = {s for s in subjects.values() if s not in owners}
        if ownerless:
            self._fetch_owners(tx, ownerless)
        return subjects, {s: owners[s] for s in subjects.values()}

    def forget(self, tx: Connection, names: Iterable[Name], subjects: Iterable[int]) -> None:
        """Drop what this transaction has changed, and say so to other processes."""
        for name in names:
            self._subjects.pop(name, None)
        for subject in subjects:
            self._owners.pop(subject, None)
        self._next = note_change(tx)

    def keep(self) -> None:
        """The transaction was committed."""
        if self._next is not None:
            self._version, self._next = self._next, None

    def clear(self) -> None:
        """Forget everything; so after a transaction that was not committed."""
        self._subjects.clear()
        self._owners.clear()
        self._version, self._next = -1, None

    def _fetch(self, tx: Connection, names: Collection[Name]) -> None:
        columns = [identifier.c.kind, identifier.c.value]
        for kind, value, subject in fetch_by_keys(
            tx, columns, names, [*columns, identifier.c.subject]
        ):
            self._subjects[kind, value] = subject

    def _fetch_owners(self, tx: Connection, subjects: Collection[int]) -> None:
        self._owners.update((s, s) for s in subjects)
        columns = [identity.c.subject, identity.c.customer]
        self._owners.update(fetch_by_keys(tx, columns[:1], [(s,) for s in subjects], columns))
