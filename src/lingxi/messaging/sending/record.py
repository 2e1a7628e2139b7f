"""What came of deliveries, kept in one transaction for several; stale words are not kept."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lingxi.config import MessagingSettings
from lingxi.messaging.email.suppression import Reason, suppress
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import (
    MARKETING,
    Accepted,
    Deferred,
    Failed,
    Outcome,
    State,
    Unclear,
)
from lingxi.messaging.sending.commit import Ready
from lingxi.messaging.tables import message as table
from lingxi.schema import Event, Name
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys

_ADDRESS = re.compile(r"[^\s<>@\"']+@[^\s<>@\"']+|\+?\d[\d ()-]{6,}\d")
_OWN = sa.update(table).where(
    table.c.id == sa.bindparam("b_id"), table.c.fence == sa.bindparam("b_fence")
)
_END = _OWN.values(
    state=sa.bindparam("b_state"),
    reason=sa.bindparam("b_reason"),
    detail=sa.bindparam("b_detail"),
    reference=sa.bindparam("b_reference"),
    ended_at=sa.bindparam("b_now"),
    due_at=None,
    lease_until=None,
)
_AGAIN = _OWN.values(
    state=State.QUEUED.value,
    reason=sa.bindparam("b_reason"),
    detail=sa.bindparam("b_detail"),
    attempts=sa.bindparam("b_attempts"),
    due_at=sa.bindparam("b_due"),
    sent_at=None,
    worker=None,
    lease_until=None,
)
_NAMES = {
    State.ACCEPTED: Name.MESSAGE_ACCEPTED,
    State.FAILED: Name.MESSAGE_FAILED,
    State.UNKNOWN: Name.MESSAGE_UNKNOWN,
}


@dataclass(frozen=True)
class Delivered:
    """A message with what its channel said."""

    ready: Ready
    outcome: Outcome


Told = Callable[[sa.Connection, Delivered, datetime], None]
"""Hears an outcome in the transaction that keeps it."""


@dataclass(frozen=True)
class _End:
    state: State
    reason: str = ""
    detail: str = ""
    reference: str = ""


@dataclass(frozen=True)
class _Again:
    due: datetime
    reason: str
    detail: str
    attempts: int


def record_outcomes(
    store: Store,
    delivered: Sequence[Delivered],
    last: Sequence[datetime],
    now: datetime,
    *,
    told: Told | None = None,
) -> dict[str, int]:
    """Keep what came of each message, by what it came to; ``last`` is when each is too late.

    An address that is to blame is suppressed in the same transaction. The word of a worker that
    lost its lease counts only where nobody has taken the message since.
    """
    counts: dict[str, int] = {}
    with store.write() as tx:
        held = _read_held(tx, [each.ready.claim.message.id for each in delivered])
        ends: list[dict[str, object]] = []
        tries: list[dict[str, object]] = []
        events: list[Event] = []
        for each, end in zip(delivered, last, strict=True):
            claim = each.ready.claim
            if held.get(claim.message.id) != claim.fence:
                counts["stale"] = counts.get("stale", 0) + 1
                continue
            if isinstance(each.outcome, Failed) and each.outcome.suppress and each.ready.address:
                suppress(tx, store.keyring.blind(each.ready.address), Reason.HARD_BOUNCE, now)
            if told is not None:
                told(tx, each, now)
            came = _judge(each, end, now, store.settings.messaging)
            own: dict[str, object] = {"b_id": claim.message.id, "b_fence": claim.fence}
            if isinstance(came, _Again):
                tries.append({**own, **_to_try(came)})
                counts["deferred"] = counts.get("deferred", 0) + 1
            else:
                ends.append({**own, **_to_end(came, now)})
                events.append(_tell(each, came, now))
                counts[came.state.value] = counts.get(came.state.value, 0) + 1
        for statement, rows in ((_END, ends), (_AGAIN, tries)):
            if rows:
                tx.execute(statement, rows)
        if events:
            store.log.append(events, tx=tx)
    return counts


def hide_addresses(text: str, *known: str) -> str:
    """What another computer said, without the addresses and numbers in it, at most 500 characters.

    >>> hide_addresses("550 <ada@example.org> unknown, call +44 20 7946 0018")
    '550 <…> unknown, call …'
    """
    for each in known:
        if each:
            text = text.replace(each, "…")
    return _ADDRESS.sub("…", text)[:500]


def _read_held(tx: sa.Connection, ids: Sequence[str]) -> dict[str, int]:
    """The fence of each message whose end is still open, or in doubt."""
    columns = [table.c.id, table.c.fence, table.c.state]
    rows = fetch_by_keys(tx, [table.c.id], [(each,) for each in ids], columns)
    open_states = (State.SENDING.value, State.UNKNOWN.value)
    return {row[0]: row[1] for row in rows if row[2] in open_states}


def _judge(
    each: Delivered, end: datetime, now: datetime, settings: MessagingSettings
) -> _End | _Again:
    outcome, claim = each.outcome, each.ready.claim
    if isinstance(outcome, Accepted):
        return _End(State.ACCEPTED, reference=outcome.reference[:255])
    detail = hide_addresses(outcome.detail, each.ready.address)
    if isinstance(outcome, Failed):
        return _End(State.FAILED, outcome.reason, detail)
    if isinstance(outcome, Unclear) and claim.message.message_class == MARKETING:
        return _End(State.UNKNOWN, outcome.reason, detail)
    tried = not isinstance(outcome, Deferred) or outcome.tried
    asked = outcome.seconds if isinstance(outcome, Deferred) else 0.0
    pause = asked if not tried else max(asked, find_pause(claim.attempts, settings))
    due = now + timedelta(seconds=max(pause, 0.0))
    if due >= end:
        return _End(State.FAILED, outcome.reason, detail or "given up")
    return _Again(due, outcome.reason, detail, claim.attempts + (1 if tried else 0))


def find_pause(failures: int, settings: MessagingSettings) -> float:
    """Seconds to wait after so many failures before this one; doubled each time, to a limit."""
    return min(settings.retry_seconds * 2.0 ** min(failures, 60), settings.longest_retry_seconds)


def _to_try(came: _Again) -> dict[str, object]:
    return {
        "b_due": came.due,
        "b_reason": came.reason[:64],
        "b_detail": came.detail,
        "b_attempts": came.attempts,
    }


def _to_end(came: _End, now: datetime) -> dict[str, object]:
    return {
        "b_state": came.state.value,
        "b_reason": came.reason[:64] or None,
        "b_detail": came.detail or None,
        "b_reference": came.reference or None,
        "b_now": now,
    }


def _tell(each: Delivered, came: _End, now: datetime) -> Event:
    claim = each.ready.claim
    return message_event(
        _NAMES[came.state],
        claim.message,
        now,
        attempt=claim.fence,
        reason=came.reason[:64] or None,
    )
