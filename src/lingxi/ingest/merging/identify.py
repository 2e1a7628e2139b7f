"""Whose each message of a batch is: identifiers looked up, joined by the rules, written back."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.identity import SUBJECTS, blind_phone
from lingxi.ingest.merging.names import Names
from lingxi.ingest.merging.people import (
    MOST_TURNS,
    Member,
    Merged,
    Name,
    People,
    Refused,
    Turn,
    plain_value,
    set_aside,
)
from lingxi.ingest.merging.refusals import BLOCKED, write_refusals
from lingxi.ingest.message import Cleaned, Identified, Identifier, IdKind, Link
from lingxi.ingest.reasons import PutReason
from lingxi.ingest.tables import browser_turn, identifier, kept_apart, merge
from lingxi.schema import Event
from lingxi.schema import Name as EventName
from lingxi.store import Store
from lingxi.store.adding import add_new
from lingxi.store.counters import allocate
from lingxi.store.engine import lock_log
from lingxi.store.keyed import upsert
from lingxi.store.prepared import Prepared
from lingxi.store.tables import from_micros, identity, to_micros

SOURCE = "identity"
_FIELDS = {
    "userId": IdKind.USER.value,
    "anonymousId": IdKind.ANONYMOUS.value,
    "previousId": IdKind.ANONYMOUS.value,
    "context.device.id": IdKind.DEVICE.value,
}
_PLAIN = {kind: kind.value for kind in (IdKind.USER, IdKind.ANONYMOUS, IdKind.DEVICE)}
"""Kinds of identifier that are kept as they are."""
_LOGINS = frozenset({Link.IDENTIFY, Link.ALIAS})
_NO_LINK, _LOGOUT = Link.NONE, Link.LOGOUT
_SHOWN = 40
_MEMBERS = Prepared(
    sa.select(
        identity.c.subject,
        identity.c.known,
        identifier.c.kind,
        identifier.c.value,
        sa.type_coerce(identifier.c.since, sa.BigInteger),
    )
    .select_from(identity.outerjoin(identifier, identifier.c.subject == identity.c.subject))
    .where(identity.c.customer == sa.bindparam("customer", type_=sa.BigInteger))
    .order_by(identity.c.subject),
    "customer",
)
_TURNS = Prepared(
    sa.select(
        browser_turn.c.subject,
        identity.c.customer,
        sa.type_coerce(browser_turn.c.at, sa.BigInteger),
        browser_turn.c.shared,
    )
    .join(identity, identity.c.subject == browser_turn.c.subject)
    .where(
        browser_turn.c.kind == sa.bindparam("kind", type_=sa.String),
        browser_turn.c.value == sa.bindparam("value", type_=sa.String),
    )
    .order_by(browser_turn.c.subject.desc())
    .limit(MOST_TURNS),
    "kind",
    "value",
)
_ANY_APART = Prepared(sa.select(kept_apart.c.one).limit(1))


def identify_people(
    store: Store,
    tx: Connection,
    cleaned: Sequence[Cleaned],
    now: datetime,
    *,
    known: Names | None = None,
) -> Identified:
    """The surrogate and customer of each message, after the merges that the batch asks for.

    Messages are taken in their order: a merge in one holds for the next. What was learnt is written
    in ``tx``; events of merges and the customers whose projections must be folded again are in the
    answer. ``known`` is what the caller has looked up in earlier batches.
    """
    remembered = Names() if known is None else known
    lock_log(tx)
    names = [[_to_name(store, one) for one in each.identifiers] for each in cleaned]
    previous = [
        [_to_name(store, one) for one in each.previous] if each.previous else () for each in cleaned
    ]
    people = _load_people(store, tx, names, previous, now, remembered)
    subjects: list[int | None] = []
    for each, own, before in zip(cleaned, names, previous, strict=True):
        if not own:
            subjects.append(None)
            continue
        if before:
            own = [*own, *_choose_previous(people, own, before)]
        link = each.link
        login = link is not _NO_LINK and link in _LOGINS
        subject = people.settle(own, each.event.event_id, login=login)
        subjects.append(subject)
        if each.steps:
            people.refusals.extend(_find_blocked(each, subject))
        if link is _LOGOUT:
            people.log_out(own)
    _write(store, tx, people, names, cleaned)
    if people.merges or people.rotated:
        remembered.forget(tx, (name for name, _ in people.rotated), people.moved)
    customers = [None if s is None else people.owners[s] for s in subjects]
    return _answer(people, cleaned, subjects, customers, now)


def _to_name(store: Store, one: Identifier) -> Name:
    plain = _PLAIN.get(one.kind)
    if plain is not None:
        return plain, one.value
    if one.kind is IdKind.EMAIL:
        return one.kind.value, store.keyring.blind(one.value)
    if one.kind is IdKind.PHONE:
        return one.kind.value, blind_phone(store, one.value)
    space = one.space.replace("%", "%25").replace(":", "%3A")
    return one.kind.value, f"{space}:{one.value}"


def _find_blocked(each: Cleaned, subject: int) -> Iterator[Refused]:
    """Values that cleaning took for placeholders."""
    for step in each.steps:
        if step.reason is PutReason.ID_BLOCKED:
            name = _FIELDS.get(step.field, step.field), (step.before or "")[:_SHOWN]
            yield Refused(BLOCKED, name, subject, None, each.event.event_id)


def _choose_previous(people: People, own: Sequence[Name], before: Sequence[Name]) -> list[Name]:
    """The other side of an alias: whatever of it is known; unknown, it is taken for a browser."""
    known = [name for name in before if name in people.subjects and name not in own]
    return known or [name for name in before[:1] if name not in own]


def _load_people(
    store: Store,
    tx: Connection,
    names: Sequence[Sequence[Name]],
    previous: Sequence[Sequence[Name]],
    now: datetime,
    known: Names,
) -> People:
    wanted = {name for each in (*names, *previous) for name in each}
    subjects, owners = known.find(tx, wanted)
    numbers = iter(allocate(tx, SUBJECTS, n) if (n := len(wanted) - len(subjects)) else ())

    def number() -> int:
        found = next(numbers, None)
        return allocate(tx, SUBJECTS, 1)[0] if found is None else found

    return People(
        limits=store.settings.identity,
        now=now,
        number=number,
        load=lambda customer: load_members(tx, customer),
        apart=lambda ours, theirs: _is_apart(tx, ours, theirs),
        turns=lambda name: _load_turns(tx, name),
        subjects=subjects,
        owners=owners,
    )


def load_members(tx: Connection, customer: int) -> list[Member]:
    """Every surrogate of a customer with its identifier, in the order of the surrogates."""
    return [
        Member(
            subject,
            bool(known),
            None if kind is None else (kind, value),
            None if since is None else from_micros(since),
        )
        for subject, known, kind, value, since in _MEMBERS.fetch(tx, customer)
    ]


def _is_apart(tx: Connection, ours: Iterable[int], theirs: Iterable[int]) -> bool:
    if _ANY_APART.first(tx) is None:
        return False
    mine, other = sorted(ours), sorted(theirs)
    c = kept_apart.c
    query = sa.select(c.one).where(
        (c.one.in_(mine) & c.other.in_(other)) | (c.one.in_(other) & c.other.in_(mine))
    )
    return tx.execute(query.limit(1)).first() is not None


def _load_turns(tx: Connection, name: Name) -> list[Turn]:
    return [
        Turn(subject, customer, from_micros(at), bool(shared))
        for subject, customer, at, shared in _TURNS.fetch(tx, *name)
    ][::-1]


def _write(
    store: Store,
    tx: Connection,
    people: People,
    names: Sequence[Sequence[Name]],
    cleaned: Sequence[Cleaned],
) -> None:
    for (kind, value), old in people.rotated:
        aside = sa.update(identifier).where(identifier.c.subject == old, identifier.c.kind == kind)
        tx.execute(aside.values(value=set_aside(value, old)))
    if people.created:
        plain = {
            name: one.value
            for own, each in zip(names, cleaned, strict=True)
            for name, one in zip(own, each.identifiers, strict=True)
        }
        since, blind = to_micros(people.now), store.keyring.blind
        rows = [
            (*name, subject, blind(plain.get(name, plain_value(name[1]))), since)
            for name, subject in people.created.items()
        ]
        add_new(tx, identifier, rows)
    upsert(
        tx,
        identity,
        [
            {"subject": subject, "customer": customer, "known": known}
            for subject, (customer, known) in people.moved.items()
        ],
    )
    _write_merges(tx, people.merges, people.now)
    _write_turns(tx, people.turned)
    write_refusals(tx, people.refusals, people.now)


def _write_turns(tx: Connection, turned: Sequence[tuple[Name, Turn]]) -> None:
    if turned:
        rows = [
            {
                "subject": turn.subject,
                "kind": kind,
                "value": value,
                "at": turn.at,
                "shared": turn.shared,
            }
            for (kind, value), turn in turned
        ]
        tx.execute(sa.insert(browser_turn), rows)


def _write_merges(tx: Connection, merges: Sequence[Merged], now: datetime) -> None:
    if merges:
        rows = [
            {
                "at": now,
                "kept": each.kept,
                "merged": each.merged,
                "subjects": json.dumps(each.subjects),
                "rule": each.rule,
                "kind": each.kind,
                "event_id": each.event_id,
            }
            for each in merges
        ]
        tx.execute(sa.insert(merge), rows)


def _answer(
    people: People,
    cleaned: Sequence[Cleaned],
    subjects: Sequence[int | None],
    customers: Sequence[int | None],
    now: datetime,
) -> Identified:
    if not people.merges:
        return Identified(subjects=subjects, customers=customers)
    places = {each.event.event_id: place for place, each in enumerate(cleaned)}
    events = [_to_event(each, number, now) for number, each in enumerate(people.merges)]
    rebuild = {customer for each in people.merges for customer in (each.kept, each.merged)}
    changes = {places[each.event_id]: ("merged",) for each in people.merges}
    return Identified(
        subjects=subjects,
        customers=customers,
        events=events,
        rebuild=frozenset(rebuild),
        changes=changes,
    )


def _to_event(merged: Merged, number: int, now: datetime) -> Event:
    return Event(
        event_id=f"merge:{merged.event_id}:{number}",
        name=EventName.CUSTOMERS_MERGED.value,
        occurred_at=now,
        received_at=now,
        subject=merged.subjects[0][0],
        properties={
            "kept": merged.kept,
            "merged": merged.merged,
            "rule": merged.rule,
            "kind": merged.kind,
        },
        source=SOURCE,
    )


__all__ = ["SOURCE", "identify_people", "load_members"]
