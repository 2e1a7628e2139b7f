"""What identifies a person: kept under the surrogate's own key, read for the whole customer."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import InvalidInput
from lingxi.ingest.message import Cleaned
from lingxi.ingest.tables import private, trait
from lingxi.store import Store
from lingxi.store.adding import add_new
from lingxi.store.keyed import fetch_by_keys, fetch_typed, upsert
from lingxi.store.prepared import Prepared
from lingxi.store.tables import identity

NAME_LENGTH = 64
_BATCH = 500
_SUBJECTS = Prepared(
    sa.select(identity.c.subject).where(
        identity.c.customer == sa.bindparam("customer", type_=sa.BigInteger)
    ),
    "customer",
)


class TraitValue(msgspec.Struct, frozen=True):
    """One trait as it was said at a moment; no value takes it back."""

    subject: int
    name: str
    value: str | None
    at: datetime


def seal_messages(store: Store, tx: Connection, told: Sequence[tuple[Cleaned, int]]) -> None:
    """Keep what messages say of persons, as ``list_told`` found them, each under its own key."""
    traits = [
        TraitValue(subject, name, value, each.event.occurred_at)
        for each, subject in told
        for name, value in each.traits.items()
    ]
    if traits:
        put_traits(store, tx, traits)
    said = [(each.event.event_id, subject, each.private) for each, subject in told if each.private]
    put_private(store, tx, said)


def list_told(
    cleaned: Sequence[Cleaned], subjects: Sequence[int | None]
) -> list[tuple[Cleaned, int]]:
    """Those of a batch of messages that say of a person what ``seal_messages`` keeps, and whose
    they are."""
    return [
        (each, subject)
        for each, subject in zip(cleaned, subjects, strict=True)
        if (each.traits or each.private) and subject is not None
    ]


def put_private(
    store: Store, tx: Connection, said: Sequence[tuple[str, int, Mapping[str, object]]]
) -> None:
    """Keep what was said with events and identifies a person: event id, surrogate, fields."""
    if not said:
        return
    texts = [(subject, msgspec.json.encode(fields).decode()) for _, subject, fields in said]
    sealed = store.keyring.encrypt_many(texts)
    rows = [
        (event_id, subject, value)
        for (event_id, subject, _), value in zip(said, sealed, strict=True)
    ]
    add_new(tx, private, rows)


def drop_private(tx: Connection, event_ids: Sequence[str]) -> None:
    """Remove what was kept privately of events that were withdrawn."""
    for start in range(0, len(event_ids), _BATCH):
        part = list(event_ids[start : start + _BATCH])
        tx.execute(sa.delete(private).where(private.c.event_id.in_(part)))


def put_traits(store: Store, tx: Connection, said: Sequence[TraitValue]) -> None:
    """Keep traits; what was said earlier never takes the place of what was said later.

    Raises
    ------
    InvalidInput
        If a name is empty or longer than 64 characters.
    Conflict
        If a person's key was destroyed: what is erased stays erased.
    """
    latest: dict[tuple[int, str], TraitValue] = {}
    for one in said:
        if not 0 < len(one.name) <= NAME_LENGTH:
            raise InvalidInput(
                f"A trait's name has 1 to {NAME_LENGTH} characters; {one.name[:80]!r} has "
                f"{len(one.name)}."
            )
        key = one.subject, one.name
        if key not in latest or one.at >= latest[key].at:
            latest[key] = one
    keys = [trait.c.subject, trait.c.name]
    known = fetch_typed(tx, keys, list(latest), [*keys, trait.c.updated_at])
    for subject, name, at in known:
        if at > latest[subject, name].at:
            del latest[subject, name]
    values = [(one.subject, one.value) for one in latest.values() if one.value is not None]
    sealed = iter(store.keyring.encrypt_many(values))
    upsert(
        tx,
        trait,
        [
            {
                "subject": one.subject,
                "name": one.name,
                "value": None if one.value is None else next(sealed),
                "updated_at": one.at,
            }
            for one in latest.values()
        ],
    )


def read_traits(store: Store, tx: Connection, customer: int) -> dict[str, str]:
    """The traits of a customer over all their surrogates, the latest word on each, sorted by name.

    None once their keys were destroyed.
    """
    return read_traits_of(store, tx, {customer: list_subjects(tx, customer)})[customer]


def read_traits_of(
    store: Store, tx: Connection, subjects: Mapping[int, Collection[int]]
) -> dict[int, dict[str, str]]:
    """The traits of many customers at once, as ``read_traits``, from their surrogates."""
    owners = {each: customer for customer, found in subjects.items() for each in found}
    c = trait.c
    rows = fetch_by_keys(
        tx, [c.subject], [(each,) for each in owners], [c.name, c.updated_at, c.subject, c.value]
    )
    latest: dict[tuple[int, str], tuple[int, bytes | None]] = {}
    for name, _, subject, value in sorted(rows, key=_order):
        latest[owners[subject], name] = subject, value
    kept = {key: (subject, value) for key, (subject, value) in latest.items() if value is not None}
    texts = store.keyring.decrypt_many(list(kept.values()))
    traits: dict[int, dict[str, str]] = {customer: {} for customer in subjects}
    for (customer, name), text in zip(kept, texts, strict=True):
        if text is not None:
            traits[customer][name] = text
    return traits


def read_trait(
    store: Store, tx: Connection, name: str, customers: Collection[int]
) -> dict[int, str]:
    """One trait of many customers, by customer: the latest word on it over all their surrogates."""
    owners = {customer: customer for customer in customers}
    i, c = identity.c, trait.c
    keys = [(customer,) for customer in customers]
    owners.update(fetch_by_keys(tx, [i.customer], keys, [i.subject, i.customer]))
    said = fetch_by_keys(
        tx,
        [c.name, c.subject],
        [(name, subject) for subject in owners],
        [c.name, c.updated_at, c.subject, c.value],
    )
    latest = {owners[row[2]]: (row[2], row[3]) for row in sorted(said, key=_order)}
    kept = {owner: pair for owner, pair in latest.items() if pair[1] is not None}
    texts = store.keyring.decrypt_many(list(kept.values()))
    return {owner: text for owner, text in zip(kept, texts, strict=True) if text is not None}


def _order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """By trait and moment; of two words of one moment the younger surrogate's is the last."""
    return row[:3]


def read_private(store: Store, tx: Connection, customer: int) -> dict[str, Mapping[str, object]]:
    """What was kept privately of a customer's events, by event id."""
    query = sa.select(private).where(private.c.subject.in_(list_subjects(tx, customer)))
    rows = tx.execute(query.order_by(private.c.event_id)).all()
    texts = store.keyring.decrypt_many([(row.subject, row.value) for row in rows])
    return {
        row.event_id: msgspec.json.decode(text, type=dict[str, object])
        for row, text in zip(rows, texts, strict=True)
        if text is not None
    }


def list_subjects(tx: Connection, customer: int) -> list[int]:
    """Every surrogate of a customer, in order."""
    return sorted({*(int(row[0]) for row in _SUBJECTS.fetch(tx, customer)), customer})


def forget_sealed(tx: Connection, subjects: frozenset[int]) -> int:
    """Remove everything sealed of these surrogates. Rows removed."""
    wanted = sorted(subjects)
    removed = 0
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        for table in (trait, private):
            removed += tx.execute(sa.delete(table).where(table.c.subject.in_(part))).rowcount
    return removed
