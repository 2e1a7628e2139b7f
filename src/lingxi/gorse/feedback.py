"""Feedback: told, told again, taken back; kept as events of the log and nowhere else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import msgspec
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.gorse.kinds import Kinds
from lingxi.gorse.moments import read_moment
from lingxi.gorse.nouns import FeedbackBody, check_labels, read_identifier
from lingxi.gorse.project import SOURCE, TYPE, VALUE, read_feedback
from lingxi.gorse.tables import feedback as table
from lingxi.ingest import resolve_subjects
from lingxi.ingest.identity import CUSTOMER
from lingxi.ingest.sealed import drop_private, put_private
from lingxi.schema import Event, Line, Name
from lingxi.store import Store
from lingxi.store.codec import from_row
from lingxi.store.projection import find_customers
from lingxi.store.tables import event as event_table
from lingxi.store.tables import identity

_PART = 500
_LONGEST_TYPE = 100
_LARGEST = 1e15
Key = tuple[int, str, str]
"""Customer, feedback type, item."""


@dataclass(frozen=True)
class Told:
    """One piece of feedback, read and checked."""

    feedback_type: str
    user_id: str
    item_id: str
    value: float
    at: datetime
    private: Mapping[str, object]
    event_id: str
    name: Name


def read_body(
    body: FeedbackBody, kinds: Kinds, now: datetime, *, event_id: str = "", shown: bool = False
) -> Told:
    """Feedback as it is to be kept; ``shown``: it was only shown, whatever its type says.

    Raises
    ------
    InvalidInput
        If an id is empty, a number or a moment cannot be read, or labels are of no known form.
    """
    value = body.value or 0.0
    if not abs(value) < _LARGEST:
        raise InvalidInput("Value must be a number of ordinary size.")
    kind = read_identifier("FeedbackType", body.feedback_type)
    if len(kind) > _LONGEST_TYPE:
        raise InvalidInput(f"FeedbackType has at most {_LONGEST_TYPE} characters.")
    labels = check_labels(body.labels)
    private = {"comment": body.comment, "labels": labels}
    return Told(
        feedback_type=kind,
        user_id=read_identifier("UserId", body.user_id),
        item_id=read_identifier("ItemId", body.item_id),
        value=value,
        at=read_moment(body.timestamp) or now,
        private={name: given for name, given in private.items() if given},
        event_id=event_id or f"gorse:{uuid4().hex}",
        name=Name.LIST_VIEWED if shown else kinds.find(kind, value),
    )


def put_feedback(
    store: Store, tx: sa.Connection, told: Sequence[Told], now: datetime, *, overwrite: bool = False
) -> int:
    """Keep feedback; users that are new are made. With ``overwrite`` it takes the place of what was
    told before, else its value is added. How many events were new.

    Raises
    ------
    StoreBusy, StoreUnavailable
        If the database cannot be written.
    """
    if overwrite:
        told = list({(t.user_id, t.feedback_type, t.item_id): t for t in told}.values())
    users = list(dict.fromkeys(t.user_id for t in told))
    seals = {user: store.keyring.blind(user) for user in users}
    subjects = resolve_subjects(tx, CUSTOMER, users, known=True, seals=seals)
    if overwrite:
        customers = find_customers(tx, set(subjects.values()))
        keys = {(customers[subjects[t.user_id]], t.feedback_type, t.item_id) for t in told}
        take_back(store, tx, keys)
    events = [_to_event(each, subjects[each.user_id], now) for each in told]
    appended = store.log.append(events, tx=tx)
    put_private(
        store,
        tx,
        [
            (each.event_id, subjects[each.user_id], each.private)
            for each in told
            if each.private and each.event_id in appended.positions
        ],
    )
    return appended.inserted


def _to_event(told: Told, subject: int, now: datetime) -> Event:
    ordered = told.name is Name.ORDER_COMPLETED
    return Event(
        event_id=told.event_id,
        name=told.name.value,
        occurred_at=told.at,
        received_at=now,
        subject=subject,
        order_id=told.event_id if ordered else None,
        lines=(Line(told.item_id),),
        properties={TYPE: told.feedback_type, VALUE: told.value},
        source=SOURCE,
    )


def take_back(store: Store, tx: sa.Connection, keys: Iterable[Key]) -> int:
    """Withdraw everything that was told under these keys; how many of them there were.

    The next recommendation, profile and training know nothing of it.
    """
    known = _find_known(tx, set(keys))
    if not known:
        return 0
    events = [
        event
        for event, customer in _read_events(tx, {key[0] for key in known})
        if (found := read_feedback(event)) is not None and (customer, found[0], found[1]) in known
    ]
    drop_private(tx, [event.event_id for event in events])
    store.withdraw(events, tx)
    return len(known)


def take_back_item(store: Store, item_id: str, feedback_types: Sequence[str] = ()) -> int:
    """Withdraw what everybody told about an item, some customers a transaction; how many rows."""
    taken = 0
    while True:
        with store.write() as tx:
            query = sa.select(table.c.customer, table.c.feedback_type, table.c.item_id)
            query = query.where(table.c.item_id == item_id).limit(_PART)
            if feedback_types:
                query = query.where(table.c.feedback_type.in_(feedback_types))
            keys = [(row[0], row[1], row[2]) for row in tx.execute(query)]
            if not keys or not take_back(store, tx, keys):
                return taken
            taken += len(keys)


def find_keys(
    tx: sa.Connection, customer: int, item_id: str, feedback_type: str | None = None
) -> list[Key]:
    """The keys of a customer's feedback on one item."""
    query = sa.select(table.c.customer, table.c.feedback_type, table.c.item_id).where(
        table.c.customer == customer, table.c.item_id == item_id
    )
    if feedback_type is not None:
        query = query.where(table.c.feedback_type == feedback_type)
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def _find_known(tx: sa.Connection, keys: set[Key]) -> set[Key]:
    customers = sorted({key[0] for key in keys})
    found: set[Key] = set()
    for start in range(0, len(customers), _PART):
        query = sa.select(table.c.customer, table.c.feedback_type, table.c.item_id).where(
            table.c.customer.in_(customers[start : start + _PART])
        )
        found.update((row[0], row[1], row[2]) for row in tx.execute(query))
    return found & keys


def _read_events(tx: sa.Connection, customers: set[int]) -> Iterator[tuple[Event, int]]:
    """Every event of these customers, each with its customer."""
    wanted = sorted(customers)
    for start in range(0, len(wanted), _PART):
        part = wanted[start : start + _PART]
        query = sa.select(identity.c.subject, identity.c.customer)
        found = tx.execute(query.where(identity.c.customer.in_(part)))
        owners = {row[0]: row[1] for row in found}
        rows = tx.execute(
            sa.select(event_table.c.position, event_table.c.payload).where(
                event_table.c.subject.in_(sorted(owners))
            )
        )
        for position, payload in rows:
            event = from_row(position, payload)
            if event.subject is not None:
                yield event, owners[event.subject]


def describe_private(text: str | None) -> tuple[str, object]:
    """Comment and labels of what was kept privately of an event."""
    kept = msgspec.json.decode(text, type=dict[str, object]) if text else {}
    comment = kept.get("comment")
    return (comment if isinstance(comment, str) else ""), kept.get("labels")
