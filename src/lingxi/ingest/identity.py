"""Raw identifiers and the surrogates that stand for them everywhere else."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import UnknownCustomer, did_you_mean
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.tables import identifier
from lingxi.store import Store
from lingxi.store.counters import allocate
from lingxi.store.keyed import insert_or_ignore, select_by_keys, upsert
from lingxi.store.tables import identity

CUSTOMER, EMAIL, ANONYMOUS = "user_id", "email", "anonymous"
"""Kinds of identifier: the shop's own id, an e-mail address (kept as a keyed hash), a browser."""

_BATCH = 5_000
_SUBJECTS = "subject"
_LABELS = {EMAIL: "email-", ANONYMOUS: "visitor-"}


@contextmanager
def _transaction(place: Store | Connection) -> Iterator[Connection]:
    if isinstance(place, Store):
        with place.write() as tx:
            yield tx
    else:
        yield place


def resolve_subjects(
    place: Store | Connection,
    kind: str,
    values: Sequence[str],
    *,
    known: bool,
    seals: Mapping[str, str] | None = None,
    owners: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """The surrogate of each identifier; a new one gets the next number, once and for all.

    Parameters
    ----------
    place
        A store, or a write transaction of one.
    known
        Whether these identify customers of the shop (and not browsers).
    seals
        Keyed hash of each identifier, for erasure to find its quarantined lines.
    owners
        The customer that a new identifier belongs to; its own where none is named.
    """
    found: dict[str, int] = {}
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        with _transaction(place) as tx:
            found.update(find_subjects(tx, kind, part))
            new = [value for value in part if value not in found]
            if new:
                numbers = dict(zip(new, allocate(tx, _SUBJECTS, len(new)), strict=True))
                _insert(tx, kind, numbers, known, seals or {}, owners or {})
                found.update(numbers)
    return found


def _insert(
    tx: Connection,
    kind: str,
    numbers: Mapping[str, int],
    known: bool,
    seals: Mapping[str, str],
    owners: Mapping[str, int],
) -> None:
    tx.execute(
        insert_or_ignore(tx, identifier),
        [
            {"kind": kind, "value": value, "subject": number, "sealed": seals.get(value)}
            for value, number in numbers.items()
        ],
    )
    upsert(
        tx,
        identity,
        [
            {"subject": n, "customer": owners.get(v, n), "known": known or v in owners}
            for v, n in numbers.items()
        ],
    )


def find_subjects(tx: Connection, kind: str, values: Collection[str]) -> dict[str, int]:
    """The surrogates of the identifiers that have one."""
    if not values:
        return {}
    query = select_by_keys(
        tx,
        [identifier.c.kind, identifier.c.value],
        [(kind, value) for value in values],
        [identifier.c.value, identifier.c.subject],
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def find_customer(
    tx: Connection, customer_id: str, *, seal: Callable[[str], str] | None = None
) -> int:
    """The customer with this id of the shop, or with a label that ``customer_ids`` gave.

    With ``seal``, the keyed hash under which e-mail addresses are kept, also by address.

    Raises
    ------
    UnknownCustomer
        If there is none.
    """
    wanted = tidy_id(customer_id) or ""
    kind, value = (EMAIL, seal(wanted)) if seal and "@" in wanted else (CUSTOMER, wanted)
    query = (
        sa.select(identity.c.customer)
        .join(identifier, identifier.c.subject == identity.c.subject)
        .where(identifier.c.kind == kind, identifier.c.value == value)
    )
    for kind, label in _LABELS.items():
        number = wanted.removeprefix(label)
        if wanted.startswith(label) and number.isdecimal() and len(number) < 19:
            query = (
                sa.select(identity.c.customer)
                .join(identifier, identifier.c.subject == identity.c.subject)
                .where(identifier.c.kind == kind, identifier.c.subject == int(number))
            )
    found = tx.execute(query).scalar()
    if found is None:
        raise UnknownCustomer(f"No customer {customer_id!r}{_suggest(tx, wanted)}.")
    return int(found)


def _suggest(tx: Connection, wanted: str) -> str:
    """A near id among those that begin alike; not all ids, of which there may be millions."""
    start = wanted[: max(1, len(wanted) // 2)]
    if not start:
        return ""
    query = (
        sa.select(identifier.c.value)
        .where(
            identifier.c.kind == CUSTOMER,
            identifier.c.value >= start,
            identifier.c.value < start + "\U0010ffff",
        )
        .limit(2_000)
    )
    return did_you_mean(wanted, tx.execute(query).scalars())


def customer_ids(tx: Connection, customers: Collection[int]) -> dict[int, str]:
    """What to call each customer: the shop's own id, or a label where the shop gave none."""
    if not customers:
        return {}
    query = select_by_keys(
        tx,
        [identity.c.customer],
        [(customer,) for customer in customers],
        [identity.c.customer, identity.c.subject],
    ).subquery()
    rows = tx.execute(
        sa.select(
            query.c.customer, identifier.c.kind, identifier.c.value, identifier.c.subject
        ).join(identifier, identifier.c.subject == query.c.subject)
    )
    best: dict[int, tuple[int, int, str]] = {}
    order = (CUSTOMER, EMAIL, ANONYMOUS)
    for customer, kind, value, subject in rows:
        label = value if kind == CUSTOMER else f"{_LABELS.get(kind, kind + '-')}{subject}"
        rank = (order.index(kind) if kind in order else len(order), subject, label)
        if customer not in best or rank < best[customer]:
            best[customer] = rank
    return {customer: rank[2] for customer, rank in best.items()}


def search_customers(tx: Connection, text: str, *, n: int = 8) -> dict[int, str]:
    """Customers whose shop id begins with a text, at most ``n``, in the order of the ids."""
    start = text.strip()
    query = (
        sa.select(identity.c.customer, identifier.c.value)
        .join(identifier, identifier.c.subject == identity.c.subject)
        .where(
            identifier.c.kind == CUSTOMER,
            identifier.c.value >= start,
            identifier.c.value < start + "\U0010ffff",
        )
        .order_by(identifier.c.value)
        .limit(n)
    )
    return {row[0]: row[1] for row in tx.execute(query)}
