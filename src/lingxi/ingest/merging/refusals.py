"""Identifiers that were seen together and not joined: written, counted, told, forgotten."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.ingest.merging.people import Name, Refused, plain_value
from lingxi.ingest.message import IdKind
from lingxi.ingest.tables import identity_refusal, refused_link
from lingxi.store.keyed import select_by_keys, upsert
from lingxi.store.tables import identity

BLOCKED = "blocked"
"""The rule of values that identify nobody."""
_KEEP = timedelta(days=90)
_HIDDEN = (IdKind.EMAIL.value, IdKind.PHONE.value)
_DOTS = "•••"
_LONG = 8


class Refusal(msgspec.Struct, frozen=True):
    """A link that was refused: whose message, which identifier, why, how often.

    ``customer`` is whom the messages were from and ``other`` who has the identifier (nobody where
    a limit kept it out); ``masked`` is what may be shown of it; ``event_id`` the last message.
    """

    customer: int
    other: int | None
    rule: str
    kind: str
    masked: str
    n: int
    first_at: datetime
    last_at: datetime
    event_id: str


def mask(name: Name, *, whole: bool = False) -> str:
    """What may be shown of an identifier: nothing of an address or phone number, and all of it with
    ``whole``, for values that identify nobody.

    >>> mask(("anonymous", "5f3c9a-77"))
    '5f•••77'
    >>> mask(("external", "shopify:123"))
    'shopify:1•••'
    """
    kind, value = name
    if kind in _HIDDEN:
        return _DOTS
    if whole:
        return value
    space, colon, own = value.partition(":") if kind == IdKind.EXTERNAL else ("", "", value)
    own = plain_value(own)
    shown = f"{own[:2]}{_DOTS}{own[-2:]}" if len(own) >= _LONG else f"{own[:1]}{_DOTS}"
    return space + colon + shown


def write_refusals(tx: Connection, refusals: Sequence[Refused], now: datetime) -> None:
    """Add to the counts of the hour, a row a rule and kind however many were refused, and to the
    row of each customer concerned."""
    if refusals:
        _count(tx, refusals, now)
        _note(tx, refusals, now)


def _count(tx: Connection, refusals: Sequence[Refused], now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    counts: dict[tuple[str, str], int] = {}
    for refused in refusals:
        key = refused.rule, refused.name[0]
        counts[key] = counts.get(key, 0) + 1
    known = {
        (row.rule, row.kind): row.n
        for row in tx.execute(sa.select(identity_refusal).where(identity_refusal.c.hour == hour))
    }
    upsert(
        tx,
        identity_refusal,
        [
            {"hour": hour, "rule": rule, "kind": kind, "n": n + known.get((rule, kind), 0)}
            for (rule, kind), n in counts.items()
        ],
    )


def _note(tx: Connection, refusals: Sequence[Refused], now: datetime) -> None:
    c = refused_link.c
    latest: dict[tuple[int, str, str], Refused] = {}
    counts: dict[tuple[int, str, str], int] = {}
    for refused in refusals:
        key = refused.subject, refused.rule, refused.name[0]
        latest[key] = refused
        counts[key] = counts.get(key, 0) + 1
    columns = [c.subject, c.rule, c.kind]
    query = select_by_keys(tx, columns, list(counts), [*columns, c.n, c.first_at])
    known = {(row[0], row[1], row[2]): (row[3], row[4]) for row in tx.execute(query)}
    rows = []
    for key, refused in latest.items():
        before, first_at = known.get(key, (0, now))
        rows.append(
            {
                "subject": key[0],
                "rule": key[1],
                "kind": key[2],
                "other": refused.other,
                "masked": mask(refused.name, whole=key[1] == BLOCKED),
                "n": before + counts[key],
                "first_at": first_at,
                "last_at": now,
                "event_id": refused.event_id,
            }
        )
    upsert(tx, refused_link, rows)


def count_refusals(tx: Connection, *, since: datetime) -> dict[tuple[str, str], int]:
    """Links that were refused since a moment, by rule and kind of identifier."""
    c = identity_refusal.c
    query = sa.select(c.rule, c.kind, sa.func.sum(c.n)).where(c.hour >= since)
    rows = tx.execute(query.group_by(c.rule, c.kind)).all()
    return {(rule, kind): int(n) for rule, kind, n in rows}


def list_refusals(
    tx: Connection,
    *,
    customer: int | None = None,
    since: datetime | None = None,
    most: bool = False,
    n: int = 50,
) -> list[Refusal]:
    """Refused links, the latest first (with ``most`` the most frequent); of one customer those in
    which they were either side."""
    c = refused_link.c
    own, theirs = identity.alias("own"), identity.alias("theirs")
    query = (
        sa.select(
            own.c.customer,
            theirs.c.customer,
            c.rule,
            c.kind,
            c.masked,
            c.n,
            c.first_at,
            c.last_at,
            c.event_id,
        )
        .select_from(
            refused_link.join(own, own.c.subject == c.subject).outerjoin(
                theirs, theirs.c.subject == c.other
            )
        )
        .order_by(
            *([c.n.desc()] if most else []), c.last_at.desc(), c.subject.desc(), c.rule, c.kind
        )
        .limit(n)
    )
    if customer is not None:
        mine = sa.select(identity.c.subject).where(identity.c.customer == customer)
        query = query.where(c.subject.in_(mine) | c.other.in_(mine))
    if since is not None:
        query = query.where(c.last_at >= since)
    return [Refusal(*row) for row in tx.execute(query)]


def expire_refusals(tx: Connection, now: datetime) -> int:
    """Remove what was refused more than 90 days ago. Rows removed."""
    old = refused_link.c.last_at < now - _KEEP
    hours = identity_refusal.c.hour < now - _KEEP
    removed = tx.execute(sa.delete(refused_link).where(old)).rowcount
    return removed + tx.execute(sa.delete(identity_refusal).where(hours)).rowcount


__all__ = [
    "BLOCKED",
    "Refusal",
    "count_refusals",
    "expire_refusals",
    "list_refusals",
    "mask",
    "write_refusals",
]
