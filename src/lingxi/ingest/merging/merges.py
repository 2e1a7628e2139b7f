"""Merges told and undone."""

import json
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import Conflict, InvalidInput
from lingxi.ingest.merging.identify import SOURCE, load_members
from lingxi.ingest.merging.names import note_change
from lingxi.ingest.merging.people import plain_value
from lingxi.ingest.message import IdKind
from lingxi.ingest.tables import browser_turn, kept_apart, merge, refused_link
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.engine import lock_log
from lingxi.store.keyed import insert_or_ignore
from lingxi.store.tables import identity

_HIDDEN = (IdKind.EMAIL.value, IdKind.PHONE.value)


class Merge(msgspec.Struct, frozen=True):
    """Two customers who became one. ``subjects`` moved to ``kept``, each with whether it was known
    before; ``rule`` and ``kind`` say why: which identifier both had, in what kind of message."""

    id: int
    at: datetime
    kept: int
    merged: int
    subjects: tuple[tuple[int, bool], ...]
    rule: str
    kind: str
    event_id: str
    undone_at: datetime | None


class Known(msgspec.Struct, frozen=True):
    """One identifier of a customer. An e-mail address or phone number is kept as a keyed hash only,
    ``sealed`` here, and its ``value`` is empty."""

    kind: str
    value: str
    subject: int
    since: datetime | None
    sealed: str = ""


def list_identifiers(tx: Connection, customer: int) -> list[Known]:
    """The identifiers of a customer, the strongest first."""
    order = [kind.value for kind in IdKind]
    found = [
        Known(
            member.name[0],
            "" if member.name[0] in _HIDDEN else plain_value(member.name[1]),
            member.subject,
            member.since,
            member.name[1] if member.name[0] in _HIDDEN else "",
        )
        for member in load_members(tx, customer)
        if member.name is not None
    ]
    return sorted(found, key=lambda k: (order.index(k.kind) if k.kind in order else 9, k.subject))


def list_merges(tx: Connection, customer: int) -> list[Merge]:
    """The merges that made a customer, those undone too, newest first."""
    subjects = [member.subject for member in load_members(tx, customer)]
    c = merge.c
    own = c.kept.in_([customer, *subjects]) | c.merged.in_([customer, *subjects])
    rows = tx.execute(sa.select(merge).where(own).order_by(c.id.desc())).mappings()
    return [_to_merge(row) for row in rows]


def _to_merge(row: sa.RowMapping) -> Merge:
    subjects = tuple((int(s), bool(known)) for s, known in json.loads(row["subjects"]))
    return Merge(**{**row, "subjects": subjects})


def undo_merge(store: Store, merge_id: int) -> Merge:
    """Make two customers of one again; they will not be merged a second time.

    Their projections are folded again in the same transaction, and the log gets an event
    "Merge Undone".

    Raises
    ------
    InvalidInput
        If there is no such merge.
    Conflict
        If it was undone before, or what moved belongs to somebody else by now.
    """
    now = store.clock.now()
    with store.write() as tx:
        lock_log(tx)
        row = tx.execute(sa.select(merge).where(merge.c.id == merge_id)).mappings().one_or_none()
        if row is None:
            raise InvalidInput(
                f"There is no merge {merge_id}; see 'lingxi identity show CUSTOMER'."
            )
        found = _to_merge(row)
        _check_undo(tx, found)
        for subject, known in found.subjects:
            tx.execute(
                sa.update(identity)
                .where(identity.c.subject == subject)
                .values(customer=found.merged, known=known)
            )
        note_change(tx)
        pairs = [{"one": subject, "other": found.kept} for subject, _ in found.subjects]
        tx.execute(insert_or_ignore(tx, kept_apart), pairs)
        tx.execute(sa.update(merge).where(merge.c.id == merge_id).values(undone_at=now))
        store.log.append([_to_event(found, now)], tx=tx)
        store.rebuild(store.projections, {found.kept, found.merged}, tx)
    return msgspec.structs.replace(found, undone_at=now)


def _check_undo(tx: Connection, found: Merge) -> None:
    if found.undone_at is not None:
        raise Conflict(f"Merge {found.id} was undone already, on {found.undone_at:%Y-%m-%d}.")
    subjects = [subject for subject, _ in found.subjects]
    query = sa.select(identity.c.customer).where(identity.c.subject.in_(subjects)).distinct()
    owners = set(tx.execute(query).scalars())
    if owners != {found.kept}:
        raise Conflict(
            f"What merge {found.id} moved belongs to somebody else by now; undo the later merge "
            "first."
        )


def _to_event(found: Merge, now: datetime) -> Event:
    return Event(
        event_id=f"merge-undone:{found.id}",
        name=Name.MERGE_UNDONE.value,
        occurred_at=now,
        received_at=now,
        subject=found.subjects[0][0],
        properties={"kept": found.kept, "merged": found.merged},
        source=SOURCE,
    )


def forget_merges(tx: Connection, subjects: frozenset[int]) -> int:
    """Remove the merges of these surrogates, and what was refused them. Rows removed."""
    note_change(tx)
    wanted = sorted(subjects)
    removed = 0
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        own = merge.c.kept.in_(part) | merge.c.merged.in_(part)
        removed += tx.execute(sa.delete(merge).where(own)).rowcount
        pair = kept_apart.c.one.in_(part) | kept_apart.c.other.in_(part)
        removed += tx.execute(sa.delete(kept_apart).where(pair)).rowcount
        turns = browser_turn.c.subject.in_(part)
        removed += tx.execute(sa.delete(browser_turn).where(turns)).rowcount
        refused = refused_link.c.subject.in_(part) | refused_link.c.other.in_(part)
        removed += tx.execute(sa.delete(refused_link).where(refused)).rowcount
    return removed
