"""Double opt-in: who was signed up is asked, and only their own yes counts."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.ingest.consent import consent_event
from lingxi.ingest.sealed import read_traits
from lingxi.messaging.email.address import read_address
from lingxi.messaging.email.owners import find_address, find_owner
from lingxi.messaging.email.suppression import Reason, get_suppressed, release
from lingxi.messaging.email.tables import opt_in as table
from lingxi.messaging.email.tokens import Ticket, tag_of
from lingxi.messaging.nouns import EMAIL
from lingxi.store import Store

SOURCE = "double_opt_in"
_AGAIN = timedelta(minutes=10)
"""Nobody is asked twice within so short a time: a form can be sent again and again."""


class Request(msgspec.Struct, frozen=True):
    """One request to be written to; ``state`` is pending, confirmed or expired."""

    id: str
    customer: int
    category: str
    state: str
    asked_at: datetime
    confirmed_at: datetime | None
    source: str
    text_version: str


def ask_opt_in(
    store: Store,
    tx: sa.Connection,
    customer: int,
    now: datetime,
    *,
    category: str = "",
    source: str = "api",
    text_version: str = "",
) -> Request:
    """Note that somebody wants to be written to; a message asks them whether that is so.

    Raises
    ------
    InvalidInput
        If the customer has no e-mail address, or nothing can reach it.
    """
    address = read_traits(store, tx, customer).get("email", "")
    if not address:
        raise InvalidInput("The customer has no e-mail address; keep the trait 'email' first.")
    read_address(address)
    address_hash = store.keyring.blind(address)
    closed = get_suppressed(tx, address_hash)
    if closed is not None and closed.everything:
        raise InvalidInput(f"Nothing reaches this address ({closed.reason}); release it first.")
    tag = tag_of(address_hash)
    waiting = sa.select(table).where(
        table.c.customer == customer,
        table.c.tag == tag,
        table.c.category == category,
        table.c.confirmed_at.is_(None),
        table.c.asked_at > now - _AGAIN,
    )
    row = tx.execute(waiting).mappings().first()
    if row is not None:
        return _read(row, now, timedelta.max)
    values = {
        "id": os.urandom(16).hex(),
        "customer": customer,
        "channel": EMAIL,
        "category": category[:64],
        "tag": tag,
        "asked_at": now,
        "confirmed_at": None,
        "sent_at": None,
        "due_at": now,
        "attempts": 0,
        "source": source[:60],
        "text_version": text_version[:100],
    }
    tx.execute(sa.insert(table).values(values))
    return Request(
        str(values["id"]), customer, category, "pending", now, None, source[:60], text_version[:100]
    )


def find_request(tx: sa.Connection, ticket: Ticket, now: datetime, *, days: int) -> Request | None:
    """The request of a confirmation link; nothing where there is none any more."""
    row = tx.execute(sa.select(table).where(table.c.id == ticket.message_id)).mappings().first()
    if row is None or row["tag"] != ticket.tag:
        return None
    return _read(row, now, timedelta(days=days))


def confirm(store: Store, ticket: Ticket, now: datetime, *, days: int) -> Request | None:
    """The customer's own yes; nothing where the request is unknown. One that has expired, or was
    confirmed before, stays as it is."""
    with store.write() as tx:
        request = find_request(tx, ticket, now, days=days)
        customer = find_owner(tx, ticket)
        if request is None or customer is None or request.state != "pending":
            return request if customer is not None else None
        tx.execute(sa.update(table).where(table.c.id == request.id).values(confirmed_at=now))
        words = ["", request.category] if request.category else [""]
        events = [
            consent_event(
                ticket.customer,
                "marketing",
                EMAIL,
                granted=True,
                now=now,
                source=SOURCE,
                text_version=request.text_version,
                category=category,
            )
            for category in words
        ]
        store.log.append(events, tx=tx)
        address_hash = find_address(store, tx, ticket, customer)
        if address_hash is not None:
            release(tx, address_hash, reasons=(Reason.UNSUBSCRIBE, Reason.COMPLAINT))
        return msgspec.structs.replace(request, state="confirmed", confirmed_at=now)


def list_requests(
    tx: sa.Connection, now: datetime, *, days: int, n: int = 50, customer: int | None = None
) -> Sequence[Request]:
    """Requests, newest first."""
    query = sa.select(table).order_by(table.c.asked_at.desc(), table.c.id).limit(n)
    if customer is not None:
        query = query.where(table.c.customer == customer)
    return [_read(row, now, timedelta(days=days)) for row in tx.execute(query).mappings()]


def _read(row: sa.RowMapping, now: datetime, lasts: timedelta) -> Request:
    state = "pending"
    if row["confirmed_at"] is not None:
        state = "confirmed"
    elif now - row["asked_at"] > lasts:
        state = "expired"
    return Request(
        row["id"],
        row["customer"],
        row["category"],
        state,
        row["asked_at"],
        row["confirmed_at"],
        row["source"],
        row["text_version"],
    )
