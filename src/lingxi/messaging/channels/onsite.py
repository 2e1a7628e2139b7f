"""On-site messages: they wait until their customer's next page asks for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lingxi.errors import UnknownMessage
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import ON_SITE, Accepted, Failed, Message, Outcome, Parcel
from lingxi.messaging.queue import read_message
from lingxi.messaging.tables import message, onsite
from lingxi.schema import Name
from lingxi.store import Store
from lingxi.store.keyed import insert_or_ignore

_DAYS = 7.0
_LONGEST_DAYS = 365.0
DEFAULT_SLOT = "banner"


class OnSiteChannel:
    """Puts a message where its customer's page finds it.

    ``data`` of the template says where and how long: ``slot`` (banner unless named) and ``days``
    (7 unless named). The text is made when it is fetched, so that nothing personal is kept and
    prices are those of that moment.
    """

    name = ON_SITE
    address_trait = ""

    def __init__(self, store: Store) -> None:
        self._store = store

    def deliver(self, parcel: Parcel) -> Outcome:
        """Note that the message waits; once, however often it is delivered."""
        data = parcel.content.data
        try:
            days = float(data.get("days") or _DAYS)
        except ValueError:
            days = 0.0
        if not 0 < days <= _LONGEST_DAYS:
            return Failed("invalid_days", "data.days must be above 0 and at most 365")
        now = self._store.clock.now()
        row = {
            "id": parcel.message_id,
            "customer": parcel.customer,
            "slot": (data.get("slot") or DEFAULT_SLOT)[:64],
            "ready_at": now,
            "ends_at": now + timedelta(days=days),
        }
        with self._store.write() as tx:
            tx.execute(insert_or_ignore(tx, onsite), [row])
        return Accepted(f"slot {row['slot']}")

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class Waiting:
    """A message that waits on the site, with what it was queued as."""

    message: Message
    slot: str
    ends_at: datetime | None
    shown: bool


def list_waiting(
    tx: sa.Connection, subjects: Sequence[int], now: datetime, *, slot: str = "", n: int = 10
) -> list[Waiting]:
    """What a customer has not closed yet, the newest first."""
    query = (
        sa.select(message, onsite.c.slot, onsite.c.ends_at, onsite.c.shown_at)
        .join_from(onsite, message, onsite.c.id == message.c.id)
        .where(
            onsite.c.customer.in_(subjects),
            onsite.c.closed_at.is_(None),
            sa.or_(onsite.c.ends_at.is_(None), onsite.c.ends_at > now),
        )
        .order_by(onsite.c.ready_at.desc(), onsite.c.id)
        .limit(n)
    )
    if slot:
        query = query.where(onsite.c.slot == slot)
    return [
        Waiting(read_message(row), row["slot"], row["ends_at"], row["shown_at"] is not None)
        for row in tx.execute(query).mappings()
    ]


def mark_shown(store: Store, tx: sa.Connection, shown: Sequence[Message], now: datetime) -> int:
    """Note that messages were shown, each once; how many were so for the first time."""
    return _mark(store, tx, shown, now, "shown_at", Name.MESSAGE_SHOWN)


def mark_closed(store: Store, tx: sa.Connection, message_id: str, now: datetime) -> bool:
    """Note that a customer closed a message; False where that was known.

    Raises
    ------
    UnknownMessage
        If no such message waits on the site.
    """
    query = (
        sa.select(message)
        .join_from(onsite, message, onsite.c.id == message.c.id)
        .where(onsite.c.id == message_id)
    )
    row = tx.execute(query).mappings().first()
    if row is None:
        raise UnknownMessage(f"No message {message_id[:40]!r} waits on the site.")
    return _mark(store, tx, [read_message(row)], now, "closed_at", Name.MESSAGE_CLOSED) == 1


def _mark(
    store: Store,
    tx: sa.Connection,
    messages: Sequence[Message],
    now: datetime,
    column: str,
    name: Name,
) -> int:
    new = []
    for each in messages:
        change = (
            sa.update(onsite)
            .where(onsite.c.id == each.id, onsite.c[column].is_(None))
            .values({column: now})
        )
        if tx.execute(change).rowcount:
            new.append(message_event(name, each, now))
    if new:
        store.log.append(new, tx=tx)
    return len(new)
