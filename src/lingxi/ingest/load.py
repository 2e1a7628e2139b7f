"""Documents meet the log: which are new, which refund belongs where, then append."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from lingxi.ingest.documents import AT_ONCE, Documents
from lingxi.ingest.identity import CUSTOMER, EMAIL, find_subjects, resolve_subjects
from lingxi.ingest.joining import join_addresses
from lingxi.ingest.order_events import to_events
from lingxi.ingest.refunds import Buyer, Shelf, tie_refund
from lingxi.ingest.settle import settle_orders
from lingxi.ingest.stated import read_refunds
from lingxi.ingest.tables import document as document_table
from lingxi.ingest.words import named_order
from lingxi.schema import Event, Name
from lingxi.store import Progress, Store
from lingxi.store.codec import from_row
from lingxi.store.keyed import fetch_typed, insert_or_ignore, select_by_keys
from lingxi.store.log import log_position
from lingxi.store.tables import NAMED
from lingxi.store.tables import event as event_table

_KEYS = 5_000
_LONGEST_HISTORY = 100_000
_MOST_TOGETHER = 4
"""Batches of one transaction, half a second, where nobody else writes."""
Places = NDArray[np.int64]
"""Documents of a file, by their places among them."""
NONE: Places = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Sorted:
    """Documents by what the log knows of them; ``changed`` came again with other lines. ``tied``
    are the lines of each that found their order then; -1 for a document that the log has not."""

    new: Places
    known: Places
    changed: Places
    tied: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Loaded:
    """What reached the log; ``tied`` are the lines of each document that found their order."""

    inserted: int
    duplicates: int
    tied: NDArray[np.int64]


def sort_documents(tx: Connection, documents: Documents) -> Sorted:
    """Tell new documents from known and changed ones. The first version of an order wins."""
    c = document_table.c
    new, known, changed = [NONE], [NONE], [NONE]
    tied = np.full(len(documents), -1, dtype=np.int64)
    for start in range(0, len(documents), _KEYS):
        places = np.arange(start, min(start + _KEYS, len(documents)))
        keys = documents.name_keys(places)
        query = select_by_keys(
            tx, [c.key], [(key,) for key in keys], [c.key, c.fingerprint, c.tied_lines]
        )
        seen = {row[0]: (row[1], row[2]) for row in tx.execute(query)}
        is_new = np.array([key not in seen for key in keys], dtype=np.bool_)
        there = places[~is_new]
        tied[there] = [seen[key][1] for key in keys if key in seen]
        same = np.array(
            [seen[d.key][0] == d.fingerprint for d in documents.read(there)], dtype=np.bool_
        )
        new.append(places[is_new])
        known.append(there[same])
        changed.append(there[~same])
    return Sorted(np.concatenate(new), np.concatenate(known), np.concatenate(changed), tied)


def load_documents(
    store: Store,
    documents: Documents,
    new: Places,
    import_id: str,
    received_at: datetime,
    progress: Progress,
    *,
    known: Places = NONE,
) -> Loaded:
    """Append new documents as events; each batch and its note of what was seen are one
    transaction, so that an import that breaks off can simply be run again.

    Of the ``known`` orders, which the log has, those that were paid back since, or in part, get
    their refund.
    No more documents are held than one batch has, and what refunds may ask for.
    """
    shelf = _stock_shelf(store, documents, new)
    paid_back = known[documents.paid_back[known] | (documents.refunded[known] > 0)]
    wanted = np.concatenate([new, paid_back])
    subjects = resolve_buyers(store, documents, wanted, received_at)
    telling = _Telling(documents, shelf, subjects, frozenset(paid_back.tolist()), received_at)
    batches = (np.sort(wanted)[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE))
    pace = _Pace()
    inserted = duplicates = written = 0
    while several := [telling.tell(places) for places in islice(batches, pace.together)]:
        with store.write() as tx:
            pace.look(tx)
            for told in several:
                events = [event for _, events in told for event in events]
                done = store.log.append(settle_orders(store, tx, events, imported=True), tx=tx)
                inserted += done.inserted
                duplicates += done.duplicates
                rows = [{**row, "import_id": import_id} for row, _ in told]
                tx.execute(insert_or_ignore(tx, document_table), rows)
            pace.leave(tx)
        written += sum(map(len, several))
        progress("Writing events", written, len(wanted))
    return Loaded(inserted, duplicates, telling.tied)


class _Pace:
    """How many batches the next transaction had best keep: the more, the fewer pages are written
    again and again, but who else writes waits for all of them. So one where another process has
    written events since the last, and else twice as many as in that."""

    def __init__(self) -> None:
        self.together = 1
        self._end: int | None = None

    def look(self, tx: Connection) -> None:
        """A transaction begins."""
        alone = self._end is None or log_position(tx) == self._end
        self.together = min(2 * self.together, _MOST_TOGETHER) if alone else 1

    def leave(self, tx: Connection) -> None:
        """It is about to end."""
        self._end = log_position(tx)


@dataclass(eq=False)
class _Telling:
    """Makes documents into rows of the table of documents and events, those of a thousand at once;
    ``told`` are orders that the log has, of which their refund alone is to be told."""

    documents: Documents
    shelf: Shelf
    subjects: NDArray[np.int64]
    told: frozenset[int]
    received_at: datetime

    def __post_init__(self) -> None:
        self.tied = np.zeros(len(self.documents), dtype=np.int64)

    def tell(self, places: Places) -> list[tuple[dict[str, object], list[Event]]]:
        """Some documents, after all those before them: refunds leave less for later ones."""
        made = []
        subjects = self.subjects[self.documents.buyer[places]].tolist()
        each = zip(places.tolist(), self.documents.read(places), subjects, strict=True)
        for place, document, who in each:
            refund = tie_refund(document, self.shelf) if document.refund else None
            tied = 0 if refund is None else refund.lines_tied
            self.tied[place] = tied
            row: dict[str, object] = {
                "key": document.key,
                "fingerprint": document.fingerprint,
                "lines": len(document.lines),
                "tied_lines": tied,
            }
            subject = None if who < 0 else who
            told = place in self.told
            made.append((row, to_events(document, refund, subject, self.received_at, told=told)))
        return made


def resolve_buyers(
    store: Store, documents: Documents, places: Places, now: datetime
) -> NDArray[np.int64]:
    """The subject of every buyer of these documents by their code, and -1 at the end, for a guest;
    an e-mail address is kept as its keyed hash alone. Customers get the addresses of their orders,
    before those of guests are looked up."""
    lines = documents.lines
    n_customers = len(lines.customer.values)
    found = np.full(n_customers + len(lines.email.values) + 1, -1, dtype=np.int64)
    codes = documents.buyer[places]
    _, first = np.unique(codes, return_index=True)
    distinct = codes[np.sort(first)]
    for kind, own in (
        (CUSTOMER, distinct[(distinct >= 0) & (distinct < n_customers)]),
        (EMAIL, distinct[distinct >= n_customers]),
    ):
        if kind == EMAIL:
            join_addresses(store, documents, places, now)
        for start in range(0, len(own), _KEYS):
            part = own[start : start + _KEYS]
            names = [who[1] for who in documents.list_buyers(part.tolist()) if who is not None]
            seals = [store.keyring.blind(name) for name in names]
            stored = seals if kind == EMAIL else names
            by_value = dict(zip(stored, seals, strict=True))
            subjects = resolve_subjects(store, kind, stored, known=True, seals=by_value)
            found[part] = [subjects[value] for value in stored]
    return found


def _stock_shelf(store: Store, documents: Documents, new: Places) -> Shelf:
    """What the refunds among new documents may ask for: of earlier imports and of this one."""
    shelf = Shelf()
    buyers: dict[tuple[str, str], None] = {}
    refunds = new[documents.refund[new]]
    for document in documents.read(refunds):
        shelf.ask(document)
        if document.buyer is not None:
            buyers[document.buyer] = None
    back = _shelve_history(store, list(buyers), shelf) | _shelve_named(store, shelf)
    for each in back.values():
        if each.order_id is not None:
            shelf.take_back(each.order_id, each.lines)
    for sale in documents.read(_find_asked(documents, new[~documents.refund[new]], refunds)):
        shelf.put(sale.buyer, sale.order_id, sale.occurred_at, sale.lines)
        if sale.paid_back:
            shelf.take_back(sale.order_id, sale.lines)
    shelf.sort()
    return shelf


def _find_asked(documents: Documents, sales: Places, refunds: Places) -> Places:
    """The sales that a refund names, or that hold an item that its buyer gives back."""
    lines, wide = documents.lines, len(documents.lines.item.values) + 1

    def pair(places: Places) -> NDArray[np.int64]:
        buyer = np.repeat(documents.buyer[places], documents.sizes_of(places))
        item = lines.item.codes[documents.list_lines(places)].astype(np.int64)
        return np.where((buyer < 0) | (item < 0), -1, buyer * wide + item)

    asked = pair(refunds)
    if not len(asked):
        return NONE
    numbers = lines.order.take(documents.first_of(refunds)).decode()
    names = {*numbers, *(named_order(number) for number in numbers if number)}
    named = np.array([number in names for number in (*lines.order.values, None)], dtype=np.bool_)
    found = np.isin(pair(sales), asked[asked >= 0])
    sizes = documents.sizes_of(sales)
    holds = np.logical_or.reduceat(found, np.cumsum(sizes) - sizes) if len(sales) else found
    return sales[holds | named[lines.order.codes[documents.first_of(sales)]]]


def _shelve_history(
    store: Store, buyers: Sequence[tuple[str, str]], shelf: Shelf
) -> dict[str, Event]:
    """Put what these customers bought in earlier imports on the shelf; their refunds, by id."""
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
    back: dict[str, Event] = {}
    for buyer, subject in subjects.items():
        names = (Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value)
        events = store.log.read_customer(subject, limit=_LONGEST_HISTORY, names=names)
        back.update(_shelve_events(shelf, buyer, events))
    return back


def _shelve_named(store: Store, shelf: Shelf) -> dict[str, Event]:
    """Put the orders of earlier imports that refunds name on the shelf, whoever bought them; the
    refunds of who did, by id."""
    there = {order_id for order_id, _ in shelf.by_order}
    keys = [(f"order:{number}",) for number in sorted(shelf.orders - there)]
    c, back = event_table.c, dict[str, Event]()
    with store.read() as tx:
        for start in range(0, len(keys), _KEYS):
            part = keys[start : start + _KEYS]
            rows = fetch_typed(tx, [c.event_id], part, [c.position, c.payload], only=NAMED)
            told = [from_row(position, payload) for position, payload in rows]
            orders = [each for each in told if each.event_id == f"order:{each.order_id}"]
            _shelve_events(shelf, None, orders)
            came = chain.from_iterable(read_refunds(tx, orders, guests=True).values())
            back.update((each.event_id, each) for each in came)
    return back


def _shelve_events(shelf: Shelf, buyer: Buyer, events: Sequence[Event]) -> dict[str, Event]:
    for event in events:
        if event.name == Name.ORDER_COMPLETED.value and event.order_id is not None:
            shelf.put(buyer, event.order_id, event.occurred_at, event.lines)
    return {event.event_id: event for event in events if event.name == Name.ORDER_REFUNDED.value}
