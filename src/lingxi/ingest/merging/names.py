"""Identifiers looked up before, kept between batches for as long as nobody else changes them."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.identity import SUBJECTS
from lingxi.ingest.merging.people import Name
from lingxi.ingest.tables import identifier
from lingxi.store.counters import allocate, peek
from lingxi.store.keyed import fetch_by_keys, select_by_keys
from lingxi.store.prepared import Prepared
from lingxi.store.tables import identity

MOST_BYTES = 64 * 1024 * 1024
_ENTRY_BYTES = 320
"""About what a name takes beside its value: the pair, two numbers, a place in each of two maps."""
_COUNTER = "identity"
_NAME = [identifier.c.kind, identifier.c.value]
_WANTED = [*_NAME, identifier.c.subject, identity.c.customer]
_OWN = identity.c.subject == identifier.c.subject
_asked = sa.func.json_each(sa.bindparam("names", type_=sa.String)).table_valued(
    sa.column("value"), name="k"
)
_FOUND = Prepared(
    sa.select(*_WANTED).select_from(
        _asked.join(
            identifier,
            sa.and_(
                *(c == sa.func.json_extract(_asked.c.value, f"$[{i}]") for i, c in enumerate(_NAME))
            ),
        ).outerjoin(identity, _OWN)
    ),
    "names",
)


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


@dataclass
class _Known:
    """Surrogates of names, and customers of surrogates, with about the bytes that they take."""

    subjects: dict[Name, int] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    size: int = 0

    def put(self, name: Name, subject: int) -> None:
        """Remember a name that is not here yet."""
        self.subjects[name] = subject
        self.size += _reckon(name)

    def take(self, name: Name) -> int | None:
        """The surrogate of a name, which is forgotten here."""
        subject = self.subjects.pop(name, None)
        if subject is not None:
            self.size -= _reckon(name)
        return subject


class Names:
    """What this process knows of identifiers: their surrogates, and the surrogates' customers.

    Only rows that were there before the transaction are remembered, and only until the version in
    the database shows that another process has changed some: what is remembered is always what a
    query would find. Within ``most_bytes``, and those of a batch: what was not asked for since half
    of that was learnt is forgotten.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._version = -1
        self._next: int | None = None
        self._new, self._old = _Known(), _Known()

    @property
    def size_bytes(self) -> int:
        """About how much memory is taken."""
        return self._new.size + self._old.size

    def find(
        self, tx: Connection, wanted: Collection[Name]
    ) -> tuple[dict[Name, int], dict[int, int]]:
        """The surrogates of the names that have one, and the customer of each; copies."""
        version = peek(tx, _COUNTER)
        if version != (self._version if self._next is None else self._next):
            self.clear()
            self._version = version
        if self._new.size * 2 >= self._most:
            self._new, self._old = _Known(), self._new
        known, owners = self._new.subjects, self._new.owners
        subjects: dict[Name, int] = {}
        strange = []
        for name in wanted:
            subject = known.get(name)
            if subject is None:
                strange.append(name)
            else:
                subjects[name] = subject
        if strange:
            self._learn(tx, strange)
            subjects.update((name, known[name]) for name in strange if name in known)
        ownerless = {s for s in subjects.values() if s not in owners}
        if ownerless:
            self._learn_owners(tx, ownerless)
        return subjects, {s: owners[s] for s in subjects.values()}

    def forget(self, tx: Connection, names: Iterable[Name], subjects: Iterable[int]) -> None:
        """Drop what this transaction has changed, and say so to other processes."""
        for name in names:
            self._new.take(name)
            self._old.take(name)
        for subject in subjects:
            self._new.owners.pop(subject, None)
            self._old.owners.pop(subject, None)
        self._next = note_change(tx)

    def keep(self) -> None:
        """The transaction was committed."""
        if self._next is not None:
            self._version, self._next = self._next, None

    def clear(self) -> None:
        """Forget everything; so after a transaction that was not committed."""
        self._new, self._old = _Known(), _Known()
        self._version, self._next = -1, None

    def _learn(self, tx: Connection, names: Collection[Name]) -> None:
        """Remember again what was about to be forgotten; the rest is looked up, customers and all:
        a surrogate without identity is its own."""
        unknown = []
        for name in names:
            subject = self._old.take(name)
            if subject is None:
                unknown.append(name)
            else:
                self._new.put(name, subject)
        for kind, value, subject, customer in _find(tx, unknown):
            self._new.put((kind, value), subject)
            self._new.owners[subject] = subject if customer is None else customer
            self._old.owners.pop(subject, None)

    def _learn_owners(self, tx: Connection, subjects: Collection[int]) -> None:
        new, old = self._new.owners, self._old.owners
        new.update((s, old.pop(s)) for s in subjects if s in old)
        unknown = [s for s in subjects if s not in new]
        new.update((s, s) for s in unknown)
        columns = [identity.c.subject, identity.c.customer]
        new.update(fetch_by_keys(tx, columns[:1], [(s,) for s in unknown], columns))


def _find(tx: Connection, names: Sequence[Name]) -> Sequence[tuple[Any, ...]]:
    """Kind, value, surrogate and customer of those of these names that have a surrogate."""
    if not names:
        return []
    if tx.dialect.name == "sqlite":
        return _FOUND.fetch(tx, msgspec.json.encode(names).decode())
    query = select_by_keys(tx, _NAME, names, _WANTED).outerjoin(identity, _OWN)
    return [tuple(row) for row in tx.execute(query)]


def _reckon(name: Name) -> int:
    return _ENTRY_BYTES + sys.getsizeof(name[1])
