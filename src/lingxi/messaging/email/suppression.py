"""Addresses that are not written to: by their keyed hash, each with its reason."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.messaging.email.tables import soft_bounce, suppression
from lingxi.messaging.nouns import TRANSACTIONAL
from lingxi.store.keyed import fetch_by_keys, upsert


class Reason(StrEnum):
    """Why an address is not written to. There are no others."""

    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCES = "soft_bounces"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"


_EVERYTHING = frozenset({Reason.HARD_BOUNCE, Reason.SOFT_BOUNCES, Reason.MANUAL})
"""Nothing can or may arrive there; after a complaint or a goodbye an order is still confirmed."""


class Suppressed(msgspec.Struct, frozen=True):
    """One address that is not written to; ``everything``: not even transactional messages."""

    address_hash: str
    reason: str
    everything: bool
    at: datetime
    detail: str
    actor: str


def suppress(
    tx: sa.Connection,
    address_hash: str,
    reason: Reason,
    now: datetime,
    *,
    detail: str = "",
    actor: str = "lingxi",
) -> bool:
    """Write to an address no more; False where that held already.

    A stronger reason takes a weaker one's place: nothing is ever allowed again by it.
    """
    known = get_suppressed(tx, address_hash)
    everything = reason in _EVERYTHING
    if known is not None and (known.everything or not everything):
        return False
    row = {
        "address_hash": address_hash,
        "reason": reason.value,
        "everything": everything,
        "at": now,
        "detail": detail[:200],
        "actor": actor[:80],
    }
    upsert(tx, suppression, [row])
    return True


def is_suppressed(tx: sa.Connection, address_hash: str, message_class: str) -> bool:
    """Whether a message of this class may not be sent to an address."""
    found = get_suppressed(tx, address_hash)
    return found is not None and (found.everything or message_class != TRANSACTIONAL)


def find_barred(tx: sa.Connection, address_hashes: Collection[str]) -> dict[str, bool]:
    """Those of many addresses that are not written to; whether not even with a transaction."""
    c = suppression.c
    keys = [(each,) for each in address_hashes]
    rows = fetch_by_keys(tx, [c.address_hash], keys, [c.address_hash, c.everything])
    return {row[0]: bool(row[1]) for row in rows}


def get_suppressed(tx: sa.Connection, address_hash: str) -> Suppressed | None:
    """Why an address is not written to; nothing where it is."""
    query = sa.select(suppression).where(suppression.c.address_hash == address_hash)
    row = tx.execute(query).one_or_none()
    return None if row is None else Suppressed(*row)


def release(
    tx: sa.Connection, address_hash: str, *, reasons: Collection[Reason] = tuple(Reason)
) -> bool:
    """Write to an address again, where it was one of ``reasons`` that forbade it; its soft bounces
    are forgotten."""
    tx.execute(sa.delete(soft_bounce).where(soft_bounce.c.address_hash == address_hash))
    gone = sa.delete(suppression).where(
        suppression.c.address_hash == address_hash,
        suppression.c.reason.in_([reason.value for reason in reasons]),
    )
    return tx.execute(gone).rowcount > 0


def list_suppressed(
    tx: sa.Connection, *, n: int = 50, after: str = "", reason: str = ""
) -> Sequence[Suppressed]:
    """Addresses that are not written to, in the order of their hashes; pages by ``after``.

    Raises
    ------
    InvalidInput
        If there is no such reason.
    """
    query = sa.select(suppression).where(suppression.c.address_hash > after)
    if reason:
        query = query.where(suppression.c.reason == read_reason(reason).value)
    rows = tx.execute(query.order_by(suppression.c.address_hash).limit(n))
    return [Suppressed(*row) for row in rows]


def count_suppressed(tx: sa.Connection) -> dict[str, int]:
    """How many addresses are not written to, by reason."""
    query = sa.select(suppression.c.reason, sa.func.count()).group_by(suppression.c.reason)
    return {reason: int(n) for reason, n in tx.execute(query.order_by(suppression.c.reason))}


def read_reason(text: str) -> Reason:
    """The reason of this name.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    try:
        return Reason(text)
    except ValueError as error:
        raise InvalidInput(
            f"There is no reason {text[:40]!r}; choose one of {', '.join(Reason)}."
        ) from error


def note_soft_bounce(
    tx: sa.Connection, address_hash: str, message: str, customer: int, now: datetime
) -> int:
    """Note that a message came back softly; how many of this address have."""
    row = {"address_hash": address_hash, "message": message, "customer": customer, "at": now}
    upsert(tx, soft_bounce, [row])
    query = sa.select(sa.func.count()).where(soft_bounce.c.address_hash == address_hash)
    return int(tx.execute(query).scalar_one())
