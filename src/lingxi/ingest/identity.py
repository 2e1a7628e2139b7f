"""Raw identifiers and the surrogates that stand for them everywhere else."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import UnknownCustomer, did_you_mean
from lingxi.ingest.emails import read_email
from lingxi.ingest.phones import is_phone, read_phone, to_e164
from lingxi.ingest.puts import tidy_id
from lingxi.ingest.tables import identifier
from lingxi.store import Store
from lingxi.store.adding import add_new
from lingxi.store.counters import allocate
from lingxi.store.keyed import fetch_by_keys, select_by_keys, upsert
from lingxi.store.prepared import Prepared
from lingxi.store.projection import find_customers
from lingxi.store.tables import identity

CUSTOMER, EMAIL, PHONE, ANONYMOUS = "user_id", "email", "phone", "anonymous"
"""Kinds of identifier: the shop's own id, an e-mail address and a phone number (kept as keyed
hashes), a browser."""

SUBJECTS = "subject"
"""The counter of surrogates."""
_BATCH = 5_000
_WORDS = {ANONYMOUS: "visitor"}
_KINDS = {_WORDS.get(kind, kind): kind for kind in (EMAIL, PHONE, "external", "device", ANONYMOUS)}
"""Kinds by the word that begins the label of a customer without an id of the shop."""

_FIND_OWNER = Prepared(
    sa.select(identity.c.customer)
    .join(identifier, identifier.c.subject == identity.c.subject)
    .where(
        identifier.c.kind == sa.bindparam("kind", type_=sa.String),
        identifier.c.value == sa.bindparam("value", type_=sa.String),
    ),
    "kind",
    "value",
)


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
                numbers = dict(zip(new, allocate(tx, SUBJECTS, len(new)), strict=True))
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
    rows = [(kind, value, number, seals.get(value), None) for value, number in numbers.items()]
    add_new(tx, identifier, rows)
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
    c = identifier.c
    keys = [(kind, value) for value in values]
    return dict(fetch_by_keys(tx, [c.kind, c.value], keys, [c.value, c.subject]))


def blind_phone(store: Store, phone: str) -> str:
    """The keyed hash under which a phone number that ``read_phone`` read is kept."""
    return store.keyring.blind(to_e164(phone, store.settings.shop.calling_code))


def find_contact(tx: Connection, store: Store, text: str) -> int | None:
    """The customer with this e-mail address or phone number."""
    if email := read_email(text) or ("@" in text and text.lower()):
        kind, value = EMAIL, store.keyring.blind(email)
    elif is_phone(text):
        kind, value = PHONE, blind_phone(store, read_phone(text) or "")
    else:
        return None
    return _find_owner(tx, kind, value)


def _find_owner(tx: Connection, kind: str, value: str) -> int | None:
    row = _FIND_OWNER.first(tx, kind, value)
    return None if row is None else int(row[0])


def _find_numbered(tx: Connection, kind: str, subject: int) -> int | None:
    query = (
        sa.select(identity.c.customer)
        .join(identifier, identifier.c.subject == identity.c.subject)
        .where(identifier.c.kind == kind, identifier.c.subject == subject)
    )
    return tx.execute(query).scalar()


def seek_customer(tx: Connection, customer_id: str, *, store: Store | None = None) -> int | None:
    """As ``find_customer``; nothing where there is none."""
    wanted = tidy_id(customer_id) or ""
    found = _find_owner(tx, CUSTOMER, wanted)
    if found is None and store is not None:
        found = find_contact(tx, store, wanted)
    kind, _, number = wanted.partition("-")
    if found is None and kind in _KINDS and number.isdecimal() and len(number) < 19:
        found = _find_numbered(tx, _KINDS[kind], int(number))
    return found


def seek_browser(tx: Connection, anonymous_id: str) -> int | None:
    """The customer that a browser's events belong to; nothing for a browser without any."""
    wanted = tidy_id(anonymous_id)
    return _find_owner(tx, ANONYMOUS, wanted) if wanted else None


def find_customer(tx: Connection, customer_id: str, *, store: Store | None = None) -> int:
    """The customer with this id of the shop, or with a label that ``customer_ids`` gave.

    With ``store``, whose key hides them, also by e-mail address or phone number.

    Raises
    ------
    UnknownCustomer
        If there is none.
    """
    found = seek_customer(tx, customer_id, store=store)
    if found is None:
        near = _suggest(tx, tidy_id(customer_id) or "")
        raise UnknownCustomer(f"No customer {customer_id!r}{near}.").says(
            "customer.unknown", customer=customer_id[:200]
        )
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
    """What to call each customer: the shop's own id, or a label where the shop gave none.

    Also takes surrogates that have become another customer's since: they are called like them.
    """
    if not customers:
        return {}
    owners = find_customers(tx, customers)
    query = select_by_keys(
        tx,
        [identity.c.customer],
        [(customer,) for customer in set(owners.values())],
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
        label = value if kind == CUSTOMER else f"{_WORDS.get(kind, kind)}-{subject}"
        rank = (order.index(kind) if kind in order else len(order), subject, label)
        if customer not in best or rank < best[customer]:
            best[customer] = rank
    return {given: best[owner][2] for given, owner in owners.items() if owner in best}


def search_customers(store: Store, tx: Connection, text: str, *, n: int = 8) -> dict[int, str]:
    """The customer with this e-mail address or phone number, then those whose shop id begins with
    the text in the order of the ids; at most ``n``."""
    start = text.strip()
    named = find_contact(tx, store, start)
    found = {} if named is None else customer_ids(tx, [named])
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
    found.update((row[0], row[1]) for row in tx.execute(query))
    return dict(list(found.items())[:n])
