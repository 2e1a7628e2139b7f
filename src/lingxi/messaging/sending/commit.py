"""Under the write lock: the limits are counted, and what will be sent is committed before it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.messaging.caps import Cap, Sent, find_reached, list_sent
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import MARKETING, State
from lingxi.messaging.sending.claim import Claim
from lingxi.messaging.sending.judgement import Composed, Links, Reader, Skip, Wait
from lingxi.messaging.sending.permits import Asked, Permits, read_permits
from lingxi.messaging.tables import message as table
from lingxi.messaging.windows import week_start
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

    @property
    def asked(self) -> Asked:
        """What permits are read for."""
        return Asked(self.claim.message, self.reader.customer, self.address)


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

    Consent and barred addresses are looked at once more here: who took their word back since the
    message was judged is not written to. What another worker has claimed in the meantime, or its
    run took back, is left alone.
    """
    with store.write() as tx:
        fences = _read_fences(tx, [claim.message.id for claim, _ in judged])
        mine = [(c, v) for c, v in judged if fences.get(c.message.id) == c.fence]
        gate = _Gate.open(store, tx, caps, [v for _, v in mine if isinstance(v, Ready)], now)
        sending: list[Ready] = []
        skips: list[dict[str, object]] = []
        waits: list[dict[str, object]] = []
        events: list[Event] = []
        for claim, judged_so in mine:
            verdict = gate.check(judged_so) if isinstance(judged_so, Ready) else judged_so
            own: dict[str, object] = {"b_id": claim.message.id, "b_fence": claim.fence}
            if isinstance(verdict, Ready):
                sending.append(verdict)
            elif isinstance(verdict, Wait):
                waits.append({**own, "b_until": verdict.until})
            else:
                skips.append(_to_skip(own, verdict, now))
                events.append(_skipped(claim, verdict, now))
        if sending:
            execute_many(tx, _SEND, [_to_begun(ready, now) for ready in sending])
        for statement, rows in ((_SKIP, skips), (_WAIT, waits)):
            if rows:
                tx.execute(statement, rows)
        if events:
            store.log.append(events, tx=tx)
    return Committed(sending, len(skips), len(waits))


@dataclass(frozen=True)
class _Gate:
    """Consent, barred addresses and what was sent so far, all read under the write lock."""

    caps: Sequence[Cap]
    permits: Permits
    sent: dict[int, list[Sent]]
    now: datetime

    @classmethod
    def open(
        cls,
        store: Store,
        tx: sa.Connection,
        caps: Sequence[Cap],
        ready: Sequence[Ready],
        now: datetime,
    ) -> "_Gate":
        permits = read_permits(store, tx, [each.asked for each in ready])
        counted = [each for each in ready if _find_caps(caps, each)]
        if not counted:
            return cls(caps, permits, {}, now)
        since = min(
            week_start(now, ZoneInfo(zone)) for zone in {e.reader.timezone for e in counted}
        )
        subjects = {each.reader.customer: each.reader.subjects for each in counted}
        return cls(caps, permits, list_sent(tx, subjects, since), now)

    def check(self, ready: Ready) -> Ready | Skip:
        """The message, or what keeps it back; the next to the same customer counts it."""
        message = ready.claim.message
        skip = self.permits.check_address(ready.asked) or self.permits.check_consent(ready.asked)
        if skip is not None:
            return skip
        caps = _find_caps(self.caps, ready)
        if not caps:
            return ready
        sent = self.sent[ready.reader.customer]
        reached = find_reached(caps, sent, message, self.now, ZoneInfo(ready.reader.timezone))
        if reached is not None:
            return Skip(reached.reason, f"{reached.limit}/{reached.window}")
        sent.append(Sent(message.channel, message.category, self.now))
        return ready


def _find_caps(caps: Sequence[Cap], ready: Ready) -> Sequence[Cap]:
    message = ready.claim.message
    if message.message_class != MARKETING:
        return ()
    return [cap for cap in caps if cap.covers(message.channel, message.category)]


def _to_begun(ready: Ready, now: datetime) -> dict[str, object]:
    return {
        "b_id": ready.claim.message.id,
        "b_fence": ready.claim.fence,
        "b_state": State.SENDING.value,
        "b_attempts": ready.claim.attempts + 1,
        "b_now": to_micros(now),
        "b_version": ready.composed.version,
    }


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
