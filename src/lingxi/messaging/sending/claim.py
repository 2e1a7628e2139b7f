"""Claiming what is due, under a lease; and what becomes of what a dead worker left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import MARKETING, Message, State
from lingxi.messaging.queue import read_message
from lingxi.messaging.tables import message as table
from lingxi.schema import Name
from lingxi.store import Store

_CLAIM = (
    sa.update(table)
    .where(table.c.id == sa.bindparam("b_id"))
    .values(
        state=State.QUEUED.value,
        worker=sa.bindparam("b_worker"),
        lease_until=sa.bindparam("b_until"),
        due_at=sa.bindparam("b_until"),
        fence=sa.bindparam("b_fence"),
    )
)
_LOSE = (
    sa.update(table)
    .where(table.c.id == sa.bindparam("b_id"))
    .values(
        state=State.UNKNOWN.value,
        reason="interrupted",
        due_at=None,
        lease_until=None,
        ended_at=sa.bindparam("b_now"),
    )
)


@dataclass(frozen=True)
class Claim:
    """A message that this worker alone may send, as long as its lease lasts and ``fence`` holds."""

    message: Message
    fence: int
    attempts: int
    until: datetime


@dataclass(frozen=True)
class Claimed:
    """What was found due: the messages to send, and how many a dead worker left in doubt."""

    claims: Sequence[Claim]
    unknown: int = 0


def has_due(store: Store, now: datetime) -> bool:
    """Whether anything is due; asked without the write lock."""
    with store.read() as tx:
        return (
            tx.execute(sa.select(table.c.id).where(table.c.due_at <= now).limit(1)).first()
            is not None
        )


def find_due(now: datetime, limit: int) -> sa.Select[tuple[object, ...]]:
    """The messages that are due, as the index of moments has them: by the moment alone, for a
    campaign gives one moment to all its messages, and to order those would be to read them all."""
    return sa.select(table).where(table.c.due_at <= now).order_by(table.c.due_at).limit(limit)


def claim_due(store: Store, worker: str, now: datetime, limit: int) -> Claimed:
    """Take up to ``limit`` messages that are due, the longest waiting first.

    A message that is found ``sending`` with its lease over was cut off: a marketing message becomes
    ``unknown``, for it may have arrived; a transactional one is claimed to be sent again.
    """
    until = now + timedelta(seconds=store.settings.messaging.lease_seconds)
    query = find_due(now, limit)
    claims: list[Claim] = []
    lost: list[Message] = []
    with store.write() as tx:
        for row in tx.execute(query).mappings().all():
            message = read_message(row)
            if row["state"] == State.SENDING.value and message.message_class == MARKETING:
                lost.append(message)
            else:
                claims.append(Claim(message, row["fence"] + 1, row["attempts"], until))
        if claims:
            tx.execute(_CLAIM, [_to_lease(each, worker) for each in claims])
        if lost:
            tx.execute(_LOSE, [{"b_id": each.id, "b_now": now} for each in lost])
            events = [
                message_event(Name.MESSAGE_UNKNOWN, each, now, reason="interrupted")
                for each in lost
            ]
            store.log.append(events, tx=tx)
    return Claimed(claims, len(lost))


def _to_lease(claim: Claim, worker: str) -> dict[str, object]:
    return {
        "b_id": claim.message.id,
        "b_worker": worker,
        "b_until": claim.until,
        "b_fence": claim.fence,
    }
