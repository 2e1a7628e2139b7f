"""Order lines that name a customer by id and by e-mail address say that the two are one."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from lingxi.ingest.cleaning.people import is_placeholder
from lingxi.ingest.documents import Documents
from lingxi.ingest.emails import read_email
from lingxi.ingest.identity import CUSTOMER, EMAIL, find_subjects, resolve_subjects
from lingxi.ingest.merging import identify_people
from lingxi.ingest.merging.names import Names
from lingxi.ingest.message import Cleaned, Identifier, IdKind, Message
from lingxi.ingest.order_events import SOURCE
from lingxi.ingest.tables import identifier
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.projection import find_customers
from lingxi.store.tables import identity

_AT_ONCE, _RULED = 5_000, 1_000
"""Pairs of one transaction: those nobody has to be asked of, and the others."""
Pair = tuple[str, str, str]
"""The key of an order, its customer's id and the address that it names."""


def join_addresses(
    store: Store, documents: Documents, places: NDArray[np.int64], now: datetime
) -> None:
    """Give customers the addresses that their orders name, under the rules of any message that
    names both: who else has the address becomes theirs, or, where a rule forbids it, stays apart.

    Nearly always nobody has the address yet, and no rule needs to be asked.
    """
    firsts, simple = list_pairs(documents, places)
    names, ruled = Names(), list[Pair]()
    for start in range(0, len(firsts), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        pairs = list(_read_pairs(documents, firsts[part]))
        single = [one for one in compress(pairs, simple[part].tolist()) if one is not None]
        with store.write() as tx:
            done = _attach(store, tx, single)
        ruled += [one for one in pairs if one is not None and one not in done]
    for start in range(0, len(ruled), _RULED):
        told = [_tell(one, now) for one in ruled[start : start + _RULED]]
        with store.write() as tx:
            found = identify_people(store, tx, told, now, known=names)
            store.log.append(found.events, tx=tx)
            if found.rebuild:
                store.rebuild(store.projections, found.rebuild, tx)
        names.keep()


def list_pairs(
    documents: Documents, places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The first document of each customer with each address, the oldest first, and whether that
    is the one customer who names the address."""
    lines, first = documents.lines, documents.first_of(places)
    customer, email = lines.customer.codes[first], lines.email.codes[first]
    both = np.flatnonzero((customer >= 0) & (email >= 0))
    wide = len(lines.email.values) + 1
    codes, own = np.unique(customer[both].astype(np.int64) * wide + email[both], return_index=True)
    address = codes % wide
    simple = np.bincount(address)[address] == 1
    found = places[both[own]]
    order = np.argsort(found)
    return found[order], simple[order]


def _read_pairs(documents: Documents, places: NDArray[np.int64]) -> Iterator[Pair | None]:
    """Each pair; nothing for an address of nobody."""
    lines, first = documents.lines, documents.first_of(places)
    for key, customer, text in zip(
        documents.name_keys(places),
        lines.customer.take(first).decode(),
        lines.email.take(first).decode(),
        strict=True,
    ):
        address = read_email(text)
        if not customer or address is None or is_placeholder(address.partition("@")[0]):
            yield None
        else:
            yield key, customer, address


def _attach(store: Store, tx: Connection, pairs: Sequence[Pair]) -> set[Pair]:
    """Give customers addresses that nobody has yet; the pairs of which no more is to be said,
    those of before among them."""
    hashes = {store.keyring.blind(one[2]): one for one in pairs}
    taken = find_subjects(tx, EMAIL, hashes)
    customers = find_subjects(tx, CUSTOMER, [one[1] for one in pairs])
    owners = find_customers(tx, {*taken.values(), *customers.values()})
    new, done = dict[str, int](), set[Pair]()
    has = _count_addresses(tx, {each: owners[each] for each in customers.values()})
    most = store.settings.identity.emails
    for value, one in hashes.items():
        owner = owners[customers[one[1]]]
        if value in taken:
            done |= {one} if owners[taken[value]] == owner else set()
        elif has[owner] < most:
            new[value] = owner
            has[owner] += 1
            done.add(one)
    seals = {value: value for value in new}
    resolve_subjects(tx, EMAIL, list(new), known=True, seals=seals, owners=new)
    return done


def _count_addresses(tx: Connection, named: Mapping[int, int]) -> Counter[int]:
    """The addresses that the customers of these surrogates of shop's ids have."""
    c = identity.c
    keys = [(customer,) for customer in set(named.values())]
    own = dict(fetch_by_keys(tx, [c.customer], keys, [c.subject, c.customer]))
    others = [(subject,) for subject in own if subject not in named]
    kinds = [identifier.c.subject, identifier.c.kind]
    found = fetch_by_keys(tx, kinds[:1], others, kinds)
    return Counter(own[subject] for subject, kind in found if kind == EMAIL)


def _tell(pair: Pair, now: datetime) -> Cleaned:
    key, customer, address = pair
    event = Event(event_id=key, name=Name.ORDER_COMPLETED.value, occurred_at=now, received_at=now)
    return Cleaned(
        message=Message(body={}, raw=b"", received_at=now, source=SOURCE),
        event=event,
        identifiers=(Identifier(IdKind.USER, customer), Identifier(IdKind.EMAIL, address)),
    )
