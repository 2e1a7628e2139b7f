"""Facts of some customers, read from the log and the state tables, current with every event."""

from collections.abc import Collection, Mapping
from functools import partial

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.catalogue.change import split_path
from lingxi.catalogue.tables import item
from lingxi.ingest.consent import is_allowed
from lingxi.ingest.sealed import read_traits
from lingxi.segments.facts import Facts, Row
from lingxi.segments.lists import read_lists
from lingxi.segments.needs import Needs
from lingxi.segments.scores import ScoreColumn, find_score, read_scores
from lingxi.segments.stream import Goods
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import event, identity

_JOIN = " > "
_read_path = msgspec.json.Decoder(tuple[str, ...]).decode


def read_goods(tx: Connection, categories: Collection[tuple[str, ...]]) -> Goods:
    """The items in each set of categories, by the catalogue as it is now.

    An item is in a category that it is given, and in every part of its path, by the part's own name
    or with those above it (``Home > Rugs``).
    """
    if not categories:
        return {}
    query = sa.select(item.c.item_id, item.c.category, item.c.category_path)
    rows = tx.execute(query).all()
    placed = [(row[0], {row[1], *_name_parts(row[2])}) for row in rows]
    names = {wanted: {*wanted, *map(_write_path, wanted)} for wanted in categories}
    return {
        wanted: frozenset(item_id for item_id, own in placed if own & names[wanted])
        for wanted in categories
    }


def _write_path(name: str) -> str:
    return _JOIN.join(split_path(name))


def _name_parts(path: str | None) -> tuple[str, ...]:
    """Each part of a path, alone and with those above it."""
    parts = _read_path(path) if path else ()
    return (*parts, *(_JOIN.join(parts[:end]) for end in range(2, len(parts) + 1)))


def gather(
    store: Store,
    scores: Mapping[str, ScoreColumn],
    tx: Connection,
    customers: Collection[int],
    needs: Needs,
    goods: Goods,
) -> dict[int, Facts]:
    """The facts of each customer that some rules need."""
    people = read_people(tx, customers)
    rows = read_rows(tx, people, needs) if needs.events else {}
    wanted = [find_score(scores, name) for name in sorted(needs.scores)]
    numbers = read_scores(tx, wanted, customers) if wanted else {}
    lists = read_lists(tx, customers) if needs.lists else {}
    settings = store.settings.consent
    found = {}
    for customer in customers:
        consents = {key: is_allowed(tx, settings, customer, *key) for key in sorted(needs.consents)}
        found[customer] = Facts(
            customer,
            known=any(people[customer].values()),
            rows=rows.get(customer, {}),
            scores=numbers.get(customer, {}),
            consents=consents,
            lists=lists.get(customer, frozenset()),
            goods=goods,
            read_traits=partial(read_traits, store, tx, customer),
        )
    return found


def read_people(tx: Connection, customers: Collection[int]) -> dict[int, dict[int, bool]]:
    """The subjects of each customer, and whether they are known; none for who is nobody (now)."""
    found: dict[int, dict[int, bool]] = {customer: {} for customer in customers}
    columns = [identity.c.customer, identity.c.subject, identity.c.known]
    keys = [(customer,) for customer in found]
    for customer, subject, known in fetch_by_keys(tx, columns[:1], keys, columns):
        found[customer][subject] = bool(known)
    return found


def read_rows(
    tx: Connection, people: Mapping[int, Mapping[int, bool]], needs: Needs
) -> dict[int, dict[str, list[Row]]]:
    """The events of each customer by name, in order; their contents only if a rule reads some."""
    owner = {subject: who for who, subjects in people.items() for subject in subjects}
    c = event.c
    columns = [c.subject, c.name, c.occurred_at, c.position]
    columns += [c.payload] if needs.payloads else []
    keys = [(subject,) for subject in owner]
    rows = fetch_by_keys(tx, [c.subject], keys, columns, among=(c.name, needs.events))
    if not needs.payloads:
        rows = [(*row, b"") for row in rows]
    found: dict[int, dict[str, list[Row]]] = {who: {} for who in people}
    for subject, name, at, position, payload in rows:
        own = found[owner[subject]]
        kept = own.get(name)
        if kept is None:
            kept = own[name] = []
        kept.append((at, position, payload))
    for own in found.values():
        for kept in own.values():
            kept.sort()
    return found
