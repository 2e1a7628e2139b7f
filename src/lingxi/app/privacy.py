"""What platforms ask for a person: an export, an erasure; done within the time they set."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from lingxi.app.erase import OWNER, erase_customer
from lingxi.errors import InvalidInput, UnknownCustomer
from lingxi.ingest import customer_ids
from lingxi.ingest.tables import privacy_request as table
from lingxi.ingest.webhooks import PersonRequest
from lingxi.store.tables import identity

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_DUE = {"export": timedelta(days=30), "erase": timedelta(0), "erase_shop": timedelta(days=20)}
"""Shopify gives 30 days; an erasure is done at once, that of a whole shop after 20 days in which
its owner can still see it coming."""


class Request(msgspec.Struct, frozen=True):
    """One request and what became of it; ``ids`` are empty once it is done."""

    id: int
    kind: str
    source: str
    asked_at: datetime
    due_at: datetime
    ids: Sequence[str]
    done_at: datetime | None
    outcome: str | None


def note_requests(
    shop: "Shop", tx: sa.Connection, source: str, requests: Sequence[PersonRequest]
) -> None:
    """Record what was asked, in the transaction of whoever was asked."""
    now = shop.clock.now()
    for each in requests:
        ids = msgspec.json.encode(list(each.ids)).decode()
        row = {
            "kind": each.kind,
            "source": source,
            "asked_at": now,
            "due_at": now + _DUE[each.kind],
            "person": shop.store.keyring.encrypt(OWNER, ids),
        }
        tx.execute(sa.insert(table).values(row))


def list_requests(shop: "Shop") -> list[Request]:
    """All requests, newest first."""
    with shop.store.read() as tx:
        rows = tx.execute(sa.select(table).order_by(table.c.id.desc())).all()
    return [
        Request(
            row.id,
            row.kind,
            row.source,
            row.asked_at,
            row.due_at,
            msgspec.json.decode(shop.store.keyring.decrypt(OWNER, row.person) or "[]")
            if row.person
            else [],
            row.done_at,
            row.outcome,
        )
        for row in rows
    ]


def run_requests(shop: "Shop") -> int:
    """Carry out the erasures that are due; exports wait for the owner to hand them over. How many.

    Doing it again after a crash does no harm: what is erased stays erased.
    """
    now = shop.clock.now()
    due = [r for r in list_requests(shop) if r.done_at is None and r.due_at <= now]
    done = 0
    for request in reversed(due):
        if request.kind == "export":
            continue
        wanted = _list_everybody(shop) if request.kind == "erase_shop" else list(request.ids)
        erased = sum(_erase(shop, customer_id) for customer_id in wanted)
        finish_request(shop, request.id, f"erased {erased}")
        done += 1
    return done


def finish_request(shop: "Shop", request_id: int, outcome: str) -> None:
    """Note that a request is done; whom it named is forgotten.

    Raises
    ------
    InvalidInput
        If there is no such open request.
    """
    now = shop.clock.now()
    waiting = (table.c.id == request_id) & table.c.done_at.is_(None)
    with shop.store.write() as tx:
        values = {"done_at": now, "outcome": outcome[:500], "person": b""}
        if tx.execute(sa.update(table).where(waiting).values(values)).rowcount == 0:
            raise InvalidInput(f"There is no open request {request_id}; see 'lingxi privacy list'.")


def _list_everybody(shop: "Shop") -> list[str]:
    with shop.store.read() as tx:
        customers = set(tx.execute(sa.select(identity.c.customer).distinct()).scalars())
        return sorted(customer_ids(tx, customers).values())


def _erase(shop: "Shop", customer_id: str) -> bool:
    try:
        erase_customer(shop, customer_id)
    except UnknownCustomer:
        return False  # nobody of that name here, or erased under another of their names
    return True
