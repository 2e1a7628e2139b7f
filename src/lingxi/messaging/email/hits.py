"""Openings and clicks: noted at once, told to the log when it is clear who made them."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from urllib.parse import urlsplit

import sqlalchemy as sa

from lingxi.messaging.email.happenings import mail_event, sent_at
from lingxi.messaging.email.machines import BURST, Sign, find_bursts, is_too_soon
from lingxi.messaging.email.tables import mail_hit, soft_bounce
from lingxi.messaging.email.tokens import Purpose, Ticket
from lingxi.messaging.email.tracking import is_target
from lingxi.schema import Event, Name, Scalar
from lingxi.store import Store

_BATCH = 500
_CLICK, _OPEN = "click", "open"


def read_click(ticket: Ticket) -> tuple[int, str] | None:
    """The number of the link and where it leads; nothing where it may not lead there."""
    number, _, target = ticket.extra.partition(" ")
    return (int(number), target) if number.isdecimal() and is_target(target) else None


def note_hit(store: Store, ticket: Ticket, sign: Sign | None, now: datetime) -> None:
    """Keep that a link was followed or the picture fetched; settled some seconds later."""
    click = read_click(ticket) if ticket.purpose is Purpose.CLICK else None
    target = ""
    if click is not None:
        parts = urlsplit(click[1])
        target = f"{parts.hostname}{parts.path}"  # a query may say who somebody is
    row = {
        "message": ticket.message_id,
        "customer": ticket.customer,
        "kind": _OPEN if click is None else _CLICK,
        "link": click[0] if click else 0,
        "target": target[:200],
        "at": now,
        "machine": sign.value if sign else None,
    }
    with store.write(eager=True) as tx:
        number = store.allocate(tx, "mail_hit", 1)[0]
        tx.execute(sa.insert(mail_hit).values(id=number, **row))


def settle_hits(store: Store, now: datetime, *, n: int = _BATCH) -> int:
    """Tell the log of hits whose burst would be over by now; how many messages were hit.

    A message's hits are judged together: those of a burst are a machine's, all of them.
    """
    with store.write() as tx:
        ripe = (
            sa.select(mail_hit.c.message)
            .group_by(mail_hit.c.message)
            .having(sa.func.max(mail_hit.c.at) <= now - 2 * BURST)
            .limit(n)
        )
        messages = list(tx.execute(ripe).scalars())
        stale = sa.select(mail_hit.c.message).where(mail_hit.c.at <= now - 12 * BURST).limit(n)
        messages = sorted({*messages, *tx.execute(stale).scalars()})
        if not messages:
            return 0
        query = sa.select(mail_hit).where(mail_hit.c.message.in_(messages))
        rows = tx.execute(query.order_by(mail_hit.c.message, mail_hit.c.at, mail_hit.c.id)).all()
        events: list[Event] = []
        for message, group in groupby(rows, key=lambda row: str(row.message)):
            events += _settle(tx, message, list(group))
        store.log.append(events, tx=tx)
        tx.execute(sa.delete(mail_hit).where(mail_hit.c.message.in_(messages)))
    return len(messages)


def _settle(
    tx: sa.Connection, message: str, rows: list[sa.Row[tuple[object, ...]]]
) -> Iterable[Event]:
    sent = sent_at(tx, message)
    clicks = [row for row in rows if row.kind == _CLICK]
    burst = {clicks[i].id for i in find_bursts([(row.at, row.link) for row in clicks])}
    events = []
    for row in rows:
        sign = row.machine
        if sign is None and row.id in burst:
            sign = Sign.BURST.value
        if sign is None and is_too_soon(row.at, sent):
            sign = Sign.TOO_SOON.value
        said: dict[str, Scalar] = {"machine": sign is not None, "sign": sign}
        if row.kind == _CLICK:
            said |= {"link": row.link, "target": row.target}
        name = Name.MESSAGE_CLICKED if row.kind == _CLICK else Name.MESSAGE_OPENED
        events.append(mail_event(tx, name, message, row.customer, row.at, str(row.id), said))
        if sign is None:  # somebody reads there: what bounced before was passing
            gone = soft_bounce.c.customer == row.customer
            tx.execute(sa.delete(soft_bounce).where(gone))
    return events
