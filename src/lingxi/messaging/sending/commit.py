"""Under the write lock: the limits are counted, and what will be sent is committed before it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.messaging.caps import Cap, Sent, find_reached, list_sent
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import MARKETING, SkipReason, State
from lingxi.messaging.sending.claim import Claim
from lingxi.messaging.sending.judgement import Composed, Links, Reader, Skip, Wait
from lingxi.messaging.tables import message as table
from lingxi.messaging.windows import day_start, week_start
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.keyed import execute_many, fetch_by_keys
from lingxi.store.tables import to_micros

_OWN = sa.update(table).where(
    table.c.id == sa.bindparam("b_id"), table.c.fence == sa.bindparam("b_fence")
)
_SEND = _OWN.values(
    state=sa.bindparam("b_state"),
    attempts=sa.bindparam("b_attempts"),
    sent_at=sa.bindparam("b_now", type_=sa.BigInteger),
    template_version=sa.bindparam("b_version"),
)
_SKIP = _OWN.values(
    state=State.SKIPPED.value,
    reason=sa.bindparam("b_reason"),
    detail=sa.bindparam("b_detail"),
    ended_at=sa.bindparam("b_now"),
    due_at=None,
    worker=None,
    lease_until=None,
)
_WAIT = _OWN.values(
    state=State.QUEUED.value, due_at=sa.bindparam("b_until"), worker=None, lease_until=None
)


@dataclass(frozen=True)
class Ready:
    """A claimed message with its reader and text."""

    claim: Claim
    reader: Reader
    composed: Composed
    address: str
    links: Links


Judged = tuple[Claim, Ready | Skip | Wait]


@dataclass(frozen=True)
class Committed:
    """What is being sent now, and what was not to be."""

    sending: Sequence[Ready]
    skipped: int
    waiting: int


def commit_sending(
    store: Store, caps: Sequence[Cap], judged: Sequence[Judged], now: datetime
) -> Committed:
    """Commit ``sending`` for all that may go, in one transaction; the rest is skipped or waits.

    What another worker has claimed in the meantime, or its run took back, is left alone.
    """
    with store.write() as tx:
        fences = _read_fences(tx, [claim.message.id for claim, _ in judged])
        mine = [(c, v) for c, v in judged if fences.get(c.message.id) == c.fence]
        sending: list[Ready] = []
        skips: list[dict[str, object]] = []
        waits: list[dict[str, object]] = []
        events: list[Event] = []
        for claim, judged_so in mine:
            verdict = _cap(tx, caps, judged_so, now) if isinstance(judged_so, Ready) else judged_so
            own: dict[str, object] = {"b_id": claim.message.id, "b_fence": claim.fence}
            if isinstance(verdict, Ready):
                sending.append(verdict)
                _take(tx, verdict, now)
            elif isinstance(verdict, Wait):
                waits.append({**own, "b_until": verdict.until})
            else:
                skips.append(_to_skip(own, verdict, now))
                events.append(_skipped(claim, verdict, now))
        for statement, rows in ((_SKIP, skips), (_WAIT, waits)):
            if rows:
                tx.execute(statement, rows)
        if events:
            store.log.append(events, tx=tx)
    return Committed(sending, len(skips), len(waits))


def _cap(tx: sa.Connection, caps: Sequence[Cap], ready: Ready, now: datetime) -> Ready | Skip:
    message = ready.claim.message
    if message.message_class != MARKETING:
        return ready
    relevant = [cap for cap in caps if cap.covers(message.channel, message.category)]
    if not relevant:
        return ready
    zone = ZoneInfo(ready.reader.timezone)
    since = min(
        day_start(now, zone) if cap.window == "day" else week_start(now, zone) for cap in relevant
    )
    sent: Sequence[Sent] = list_sent(tx, ready.reader.subjects, since)
    reached = find_reached(relevant, sent, message, now, zone)
    if reached is None:
        return ready
    return Skip(reached.reason, f"{reached.limit}/{reached.window}")


def _take(tx: sa.Connection, ready: Ready, now: datetime) -> None:
    """One at a time, so that the next message to the same customer counts this one."""
    claim = ready.claim
    row = {
        "b_id": claim.message.id,
        "b_fence": claim.fence,
        "b_state": State.SENDING.value,
        "b_attempts": claim.attempts + 1,
        "b_now": to_micros(now),
        "b_version": ready.composed.version,
    }
    execute_many(tx, _SEND, [row])


def _read_fences(tx: sa.Connection, ids: Sequence[str]) -> dict[str, int]:
    """The fence of each message that is still waiting to be sent."""
    columns = [table.c.id, table.c.fence, table.c.state]
    rows = fetch_by_keys(tx, [table.c.id], [(each,) for each in ids], columns)
    return {row[0]: row[1] for row in rows if row[2] == State.QUEUED.value}


def _to_skip(own: dict[str, object], skip: Skip, now: datetime) -> dict[str, object]:
    return {**own, "b_reason": skip.reason.value, "b_detail": skip.detail[:500], "b_now": now}


def _skipped(claim: Claim, skip: Skip, now: datetime) -> Event:
    message = claim.message
    return message_event(Name.MESSAGE_SKIPPED, message, now, reason=skip.reason.value)


def too_late(claim: Claim) -> Judged:
    """The verdict on a message whose time has passed."""
    return claim, Skip(SkipReason.TOO_LATE)
