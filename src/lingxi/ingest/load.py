"""Documents meet the log: which are new, which refund belongs where, then append."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from lingxi.ingest.documents import Document
from lingxi.ingest.identity import CUSTOMER, EMAIL, find_subjects, resolve_subjects
from lingxi.ingest.order_events import to_events
from lingxi.ingest.refunds import Buyer, Shelf, Tied, tie_refunds
from lingxi.ingest.settle import settle_orders
from lingxi.ingest.tables import document as document_table
from lingxi.schema import Event, Name
from lingxi.store import Progress, Store
from lingxi.store.keyed import insert_or_ignore, select_by_keys

_BATCH = 1_000
_KEYS = 5_000
_LONGEST_HISTORY = 100_000


@dataclass(frozen=True, eq=False)
class Sorted:
    """Documents by what the log knows of them; ``changed`` came again with other lines."""

    new: list[Document]
    known: list[Document]
    changed: list[Document]
    tied_lines: dict[str, int]


@dataclass(frozen=True)
class Loaded:
    """What reached the log."""

    inserted: int
    duplicates: int
    ties: tuple[Tied, ...]


def sort_documents(tx: Connection, documents: Sequence[Document]) -> Sorted:
    """Tell new documents from known and changed ones. The first version of an order wins."""
    table = document_table
    seen: dict[str, tuple[str, int]] = {}
    keys = [d.key for d in documents]
    for start in range(0, len(keys), _KEYS):
        query = select_by_keys(
            tx,
            [table.c.key],
            [(key,) for key in keys[start : start + _KEYS]],
            [table.c.key, table.c.fingerprint, table.c.tied_lines],
        )
        seen.update((row[0], (row[1], row[2])) for row in tx.execute(query))
    found = Sorted([], [], [], {key: row[1] for key, row in seen.items()})
    for document in documents:
        if document.key not in seen:
            found.new.append(document)
        elif seen[document.key][0] == document.fingerprint:
            found.known.append(document)
        else:
            found.changed.append(document)
    return found


def load_documents(
    store: Store,
    documents: Sequence[Document],
    import_id: str,
    received_at: datetime,
    progress: Progress,
    *,
    known: Sequence[Document] = (),
) -> Loaded:
    """Append new documents as events; each batch and its note of what was seen are one
    transaction, so that an import that breaks off can simply be run again.

    Of the ``known`` orders, which the log has, those that were paid back since get their refund.
    """
    refunds = [d for d in documents if d.refund]
    sales = [d for d in documents if not d.refund]
    shelf = Shelf.for_refunds(refunds)
    _shelve_history(store, refunds, shelf)
    for sale in sales:
        shelf.put(sale.buyer, sale.order_id, sale.occurred_at, sale.lines)
        if sale.paid_back:
            shelf.take_back(sale.order_id, sale.lines)
    ties = tie_refunds(refunds, shelf)
    paid_back = [d for d in known if d.paid_back]
    subjects = resolve_buyers(store, (d.buyer for d in (*documents, *paid_back)))
    pairs = list(
        to_events(
            sales, ties, lambda d: subjects[d.buyer] if d.buyer else None, received_at, paid_back
        )
    )
    tied = {t.document.key: t.lines_tied for t in ties}
    inserted = duplicates = 0
    for start in range(0, len(pairs), _BATCH):
        part = pairs[start : start + _BATCH]
        with store.write() as tx:
            fresh = [e for _, events in part for e in events]
            done = store.log.append(settle_orders(store, tx, fresh, imported=True), tx=tx)
            tx.execute(
                insert_or_ignore(tx, document_table),
                [
                    {
                        "key": d.key,
                        "fingerprint": d.fingerprint,
                        "import_id": import_id,
                        "lines": len(d.lines),
                        "tied_lines": tied.get(d.key, 0),
                    }
                    for d, _ in part
                ],
            )
        inserted += done.inserted
        duplicates += done.duplicates
        progress("Writing events", start + len(part), len(pairs))
    return Loaded(inserted, duplicates, tuple(ties))


def resolve_buyers(store: Store, buyers: Iterable[Buyer]) -> dict[Buyer, int]:
    """The subject of every buyer; an e-mail address is kept as its keyed hash alone."""
    found: dict[Buyer, int] = {}
    distinct = list(dict.fromkeys(b for b in buyers if b is not None))
    for kind in (CUSTOMER, EMAIL):
        own = [b for b in distinct if b[0] == kind]
        seal = {b[1]: store.keyring.blind(b[1]) for b in own}
        stored = {b: seal[b[1]] if kind == EMAIL else b[1] for b in own}
        seals = {stored[b]: seal[b[1]] for b in own}
        subjects = resolve_subjects(store, kind, list(stored.values()), known=True, seals=seals)
        found.update((b, subjects[value]) for b, value in stored.items())
    return found


def _shelve_history(store: Store, refunds: Sequence[Document], shelf: Shelf) -> None:
    """Put what these customers bought in earlier imports on the shelf."""
    buyers = list(dict.fromkeys(d.buyer for d in refunds if d.buyer is not None))
    subjects: dict[tuple[str, str], int] = {}
    with store.read() as tx:
        for kind in (CUSTOMER, EMAIL):
            own = {
                store.keyring.blind(b[1]) if kind == EMAIL else b[1]: b
                for b in buyers
                if b[0] == kind
            }
            values = list(own)
            for start in range(0, len(values), _KEYS):
                found = find_subjects(tx, kind, values[start : start + _KEYS])
                subjects.update((own[value], subject) for value, subject in found.items())
    for buyer, subject in subjects.items():
        names = (Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value)
        events = store.log.read_customer(subject, limit=_LONGEST_HISTORY, names=names)
        _shelve_events(shelf, buyer, events)


def _shelve_events(shelf: Shelf, buyer: Buyer, events: Sequence[Event]) -> None:
    for event in events:
        if event.name == Name.ORDER_COMPLETED.value and event.order_id is not None:
            shelf.put(buyer, event.order_id, event.occurred_at, event.lines)
    for event in events:
        if event.name == Name.ORDER_REFUNDED.value and event.order_id is not None:
            shelf.take_back(event.order_id, event.lines)
