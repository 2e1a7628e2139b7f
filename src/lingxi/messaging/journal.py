"""The journal of messages: found again, one by one or by the page, and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from lingxi.errors import UnknownMessage
from lingxi.messaging.nouns import Message, State
from lingxi.messaging.queue import read_message
from lingxi.messaging.tables import message as table


@dataclass(frozen=True)
class Entry:
    """A message with what became of it so far."""

    message: Message
    state: str
    reason: str
    detail: str
    reference: str
    attempts: int
    due_at: datetime | None
    sent_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Filters:
    """Which messages are wanted; what is empty asks for nothing."""

    subjects: Sequence[int] = ()
    template: str = ""
    journey: str = ""
    run: str = ""
    channel: str = ""
    state: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions on the table."""
        c = table.c
        found = [
            c[name] == getattr(self, name)
            for name in ("template", "journey", "run", "channel", "state", "reason")
            if getattr(self, name)
        ]
        if self.subjects:
            found.append(c.customer.in_(self.subjects))
        if self.since is not None:
            found.append(c.queued_at >= self.since)
        if self.until is not None:
            found.append(c.queued_at < self.until)
        return found


def get_entry(tx: sa.Connection, message_id: str) -> Entry:
    """One message.

    Raises
    ------
    UnknownMessage
        If there is none of this id.
    """
    query = sa.select(table).where(table.c.id == message_id)
    row = tx.execute(query).mappings().first()
    if row is None:
        raise UnknownMessage(f"There is no message {message_id[:40]!r}.")
    return _to_entry(row)


def list_entries(
    tx: sa.Connection,
    filters: Filters,
    *,
    before: tuple[datetime, str] | None = None,
    n: int = 50,
) -> list[Entry]:
    """The next ``n`` messages, the last queued first, after (queued_at, id)."""
    c = table.c
    query = sa.select(table).where(*filters.conditions())
    if before is not None:
        moment, last = before
        query = query.where(
            sa.or_(c.queued_at < moment, sa.and_(c.queued_at == moment, c.id < last))
        )
    query = query.order_by(c.queued_at.desc(), c.id.desc()).limit(n)
    return [_to_entry(row) for row in tx.execute(query).mappings()]


def count_entries(tx: sa.Connection, filters: Filters) -> Mapping[tuple[str, str], int]:
    """How many messages are in each state, for each reason (empty: none), most first."""
    c = table.c
    reason = sa.func.coalesce(c.reason, "")
    query = (
        sa.select(c.state, reason, sa.func.count())
        .where(*filters.conditions())
        .group_by(c.state, reason)
        .order_by(sa.func.count().desc(), c.state, reason)
    )
    return {(row[0], row[1]): int(row[2]) for row in tx.execute(query)}


def count_days(
    tx: sa.Connection, days: Sequence[tuple[datetime, datetime]], now: datetime
) -> list[Mapping[tuple[str, str], int]]:
    """How many messages of each journey are in each state, by (journey, state), for each day.

    A day is its beginning and its end. A message that waits to be sent is counted on the day it is
    due (one that is overdue, on the day of ``now``), every other on the day it was queued.
    """
    c = table.c
    waits = c.state == State.QUEUED.value
    found: list[Mapping[tuple[str, str], int]] = []
    for start, end in days:
        parts = []
        if start <= now:
            parts.append(sa.and_(c.queued_at >= start, c.queued_at < end, sa.not_(waits)))
        if end > now:
            begun = c.due_at.is_not(None) if start <= now else c.due_at >= start
            parts.append(sa.and_(begun, c.due_at < end, waits))
        counts: dict[tuple[str, str], int] = {}
        for part in parts:
            query = sa.select(c.journey, c.state, sa.func.count()).where(part)
            rows = tx.execute(query.group_by(c.journey, c.state))
            counts.update({(journey, state): int(n) for journey, state, n in rows})
        found.append(counts)
    return found


def list_journeys(tx: sa.Connection, template: str) -> list[str]:
    """The journeys that have sent messages of a template."""
    query = sa.select(table.c.journey).where(table.c.template == template, table.c.journey != "")
    return sorted(tx.execute(query.distinct()).scalars())


def _to_entry(row: sa.RowMapping) -> Entry:
    return Entry(
        message=read_message(row),
        state=row["state"],
        reason=row["reason"] or "",
        detail=row["detail"] or "",
        reference=row["reference"] or "",
        attempts=row["attempts"],
        due_at=row["due_at"],
        sent_at=row["sent_at"],
        ended_at=row["ended_at"],
    )
