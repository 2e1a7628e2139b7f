"""What became of e-mail, by the shop's day and the mailbox provider; and how the way out stands."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

import msgspec
import sqlalchemy as sa

from lingxi.messaging.email.providers import provider_of
from lingxi.messaging.email.tables import mail_day, mail_state
from lingxi.messaging.email.transport import Transport
from lingxi.messaging.nouns import Accepted, Deferred, Failed, Outcome
from lingxi.store.keyed import insert_or_ignore, upsert


class Came(StrEnum):
    """What a message came to. There are no others."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    HARD = "hard"
    SOFT = "soft"
    BLOCKED = "blocked"
    COMPLAINED = "complained"
    SUPPRESSED = "suppressed"


class Day(msgspec.Struct, frozen=True):
    """One day of one provider: how many messages came to what."""

    day: str
    provider: str
    counts: dict[str, int]


class Way(msgspec.Struct, frozen=True):
    """How the way out of one worker stands: ``closed`` lets all through, ``open`` nothing."""

    name: str
    state: str
    detail: str
    at: datetime


def count(
    tx: sa.Connection, zone: tzinfo, now: datetime, provider: str, came: Came, n: int = 1
) -> None:
    """Count messages of a day, in the transaction that keeps what they came to."""
    key = {
        "day": now.astimezone(zone).date().isoformat(),
        "provider": provider,
        "outcome": came.value,
    }
    tx.execute(insert_or_ignore(tx, mail_day).values(**key, n=0))
    own = [mail_day.c[name] == value for name, value in key.items()]
    tx.execute(sa.update(mail_day).where(*own).values(n=mail_day.c.n + n))


def list_days(tx: sa.Connection, today: date, days: int) -> Sequence[Day]:
    """What became of messages in the last days, newest day first, by provider."""
    first = (today - timedelta(days=days - 1)).isoformat()
    c = mail_day.c
    query = sa.select(c.day, c.provider, c.outcome, c.n).where(c.day >= first)
    found: dict[tuple[str, str], dict[str, int]] = {}
    for day, provider, outcome, n in tx.execute(query.order_by(c.day.desc(), c.provider)):
        found.setdefault((day, provider), {})[outcome] = int(n)
    return [Day(day, provider, counts) for (day, provider), counts in found.items()]


def list_ways(tx: sa.Connection) -> Sequence[Way]:
    """How each worker's way out stands."""
    return [Way(*row) for row in tx.execute(sa.select(mail_state).order_by(mail_state.c.name))]


class Ledger:
    """Hears what the sender's deliveries came to, in the transaction that keeps it."""

    def __init__(self, zone: tzinfo, transport: Transport, name: str) -> None:
        self._zone = zone
        self._transport = transport
        self._name = name[:40]
        self._known = ("closed", "")

    def note(self, tx: sa.Connection, address: str, outcome: Outcome, now: datetime) -> None:
        """Count an outcome, and keep how the way out stands where that has changed."""
        if isinstance(outcome, Deferred) and not outcome.tried:
            self._keep_state(tx, now)
            return
        came = Came.UNKNOWN
        if isinstance(outcome, Accepted):
            came = Came.ACCEPTED
        elif isinstance(outcome, Deferred):
            came = Came.DEFERRED
        elif isinstance(outcome, Failed):
            came = Came.FAILED
        count(tx, self._zone, now, provider_of(address), came)
        if isinstance(outcome, Failed) and outcome.suppress:
            count(tx, self._zone, now, provider_of(address), Came.SUPPRESSED)
        self._keep_state(tx, now)

    def _keep_state(self, tx: sa.Connection, now: datetime) -> None:
        state = self._transport.state()
        if state == self._known:
            return
        row = {"name": self._name, "state": state[0], "detail": state[1][:300], "at": now}
        upsert(tx, mail_state, [row])
        self._known = state
