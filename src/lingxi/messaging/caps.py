"""How often one customer may be written to: limits by channel, by category and over all."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lingxi.errors import InvalidSetting
from lingxi.messaging.nouns import MARKETING, ON_SITE, WEBHOOK, Message, SkipReason, State
from lingxi.messaging.tables import message as table
from lingxi.messaging.windows import day_start, week_start
from lingxi.store.prepared import Prepared
from lingxi.store.tables import from_micros, to_micros

_FORM = re.compile(r"(all|channel:[a-z0-9_-]{1,32}|category:\S{1,64})\s+(\d{1,4})/(day|week)")
_SILENT = (ON_SITE, WEBHOOK)
"""Channels that interrupt nobody: the limit over all leaves them out."""
_COUNTED = (State.SENDING.value, State.ACCEPTED.value, State.UNKNOWN.value)
_SENT = Prepared(
    sa.select(
        table.c.channel, table.c.category, sa.type_coerce(table.c.sent_at, sa.BigInteger)
    ).where(
        table.c.customer == sa.bindparam("customer", type_=sa.BigInteger),
        sa.type_coerce(table.c.sent_at, sa.BigInteger)
        >= sa.bindparam("since", type_=sa.BigInteger),
        sa.or_(*(table.c.state == state for state in _COUNTED)),
        table.c.message_class == MARKETING,
    ),
    "customer",
    "since",
)
_REASONS = {
    "all": SkipReason.GLOBAL_CAP,
    "channel": SkipReason.CHANNEL_CAP,
    "category": SkipReason.CATEGORY_CAP,
}


@dataclass(frozen=True)
class Cap:
    """At most ``limit`` marketing messages a local day or week, of one channel or category."""

    scope: str
    name: str
    limit: int
    window: str

    @property
    def reason(self) -> SkipReason:
        """Why a message beyond it is skipped."""
        return _REASONS[self.scope]

    def covers(self, channel: str, category: str) -> bool:
        """Whether a message of this channel and category counts."""
        if self.scope == "all":
            return channel not in _SILENT
        return self.name == (channel if self.scope == "channel" else category)


@dataclass(frozen=True)
class Sent:
    """A message that went out, as far as limits care."""

    channel: str
    category: str
    at: datetime


def read_caps(texts: Sequence[str]) -> tuple[Cap, ...]:
    """Limits as the settings write them.

    Raises
    ------
    InvalidSetting
        If one is not of the form ``all 2/day``, ``channel:email 4/week``, ``category:news 1/week``.

    Examples
    --------
    >>> read_caps(["channel:email 4/week"])
    (Cap(scope='channel', name='email', limit=4, window='week'),)
    """
    found = []
    for text in texts:
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise InvalidSetting(
                "messaging.caps holds limits such as 'all 2/day', 'channel:email 4/week' or "
                f"'category:news 1/week', not {text!r}."
            )
        scope, _, name = match[1].partition(":")
        found.append(Cap(scope, name, int(match[2]), match[3]))
    return tuple(found)


def find_reached(
    caps: Iterable[Cap], sent: Sequence[Sent], message: Message, now: datetime, zone: ZoneInfo
) -> Cap | None:
    """The first limit that leaves no room for one message more, if any."""
    for cap in caps:
        if cap.covers(message.channel, message.category):
            since = day_start(now, zone) if cap.window == "day" else week_start(now, zone)
            count = sum(cap.covers(s.channel, s.category) for s in sent if s.at >= since)
            if count >= cap.limit:
                return cap
    return None


def list_sent(
    tx: sa.Connection, subjects: Mapping[int, Collection[int]], since: datetime
) -> dict[int, list[Sent]]:
    """Marketing messages that went out to each customer, or may have, from a moment on.

    ``subjects`` are the surrogates of each customer.
    """
    return {
        customer: [
            Sent(channel, category, from_micros(at))
            for subject in found
            for channel, category, at in _SENT.fetch(tx, subject, to_micros(since))
        ]
        for customer, found in subjects.items()
    }
