"""Into the queue, in the caller's own transaction, each id once; and out of it again."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import CLASSES, Message, SkipReason, State
from lingxi.messaging.tables import message as table
from lingxi.schema import Name
from lingxi.store import Store
from lingxi.store.adding import Row, add_new
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import to_micros

_LARGEST_CONTEXT = 8_000
_HEX = frozenset("0123456789abcdef")


def queue_message(store: Store, tx: sa.Connection, message: Message) -> bool:
    """Put a message into the queue; False where its id is known already, and nothing is done.

    Raises
    ------
    InvalidInput
        If the id is not one of ``message_id``'s form, a moment is naive or a name is too long.
    """
    return queue_messages(store, tx, [message]) == 1


def queue_messages(store: Store, tx: sa.Connection, messages: Sequence[Message]) -> int:
    """Put many messages into the queue at once; how many were new.

    Raises
    ------
    InvalidInput
        As ``queue_message``; then none of them is queued.
    """
    unique = {each.id: each for each in messages}
    contexts = {each.id: _check(each) for each in unique.values()}
    known = {
        row[0] for row in fetch_by_keys(tx, [table.c.id], [(i,) for i in unique], [table.c.id])
    }
    new = [each for each in unique.values() if each.id not in known]
    if new:
        add_new(tx, table, [_to_row(each, contexts[each.id]) for each in new])
        store.log.append(
            [message_event(Name.MESSAGE_QUEUED, each, each.queued_at) for each in new], tx=tx
        )
    return len(new)


def cancel_messages(
    store: Store,
    tx: sa.Connection,
    runs: Collection[tuple[str, str]],
    now: datetime,
    *,
    reason: SkipReason = SkipReason.CANCELLED,
) -> int:
    """Take back what runs have queued and nobody has begun to send; how many messages.

    ``runs`` are pairs of a journey's name and a run of it.
    """
    c = table.c
    known = fetch_by_keys(tx, [c.journey, c.run], runs, [c.id, c.state])
    ids = [row[0] for row in known if row[1] == State.QUEUED.value]
    if not ids:
        return 0
    query = sa.select(table).where(c.id.in_(ids)).order_by(c.queued_at, c.id)
    found = [read_message(row) for row in tx.execute(query).mappings()]
    change = sa.update(table).where(
        table.c.id.in_([each.id for each in found]), table.c.state == State.QUEUED.value
    )
    tx.execute(
        change.values(
            state=State.SKIPPED.value,
            reason=reason.value,
            ended_at=now,
            due_at=None,
            worker=None,
            lease_until=None,
            fence=table.c.fence + 1,
        )
    )
    events = [message_event(Name.MESSAGE_SKIPPED, e, now, reason=reason.value) for e in found]
    store.log.append(events, tx=tx)
    return len(found)


def read_message(row: sa.RowMapping) -> Message:
    """The message of a row of the table."""
    return Message(
        id=row["id"],
        customer=row["customer"],
        channel=row["channel"],
        template=row["template"],
        template_version=row["template_version"],
        category=row["category"],
        message_class=row["message_class"],
        queued_at=row["queued_at"],
        not_before=row["not_before"],
        send_before=row["send_before"],
        context=msgspec.json.decode(row["context"]),
        journey=row["journey"],
        run=row["run"],
        node=row["node"],
    )


def _check(message: Message) -> str:
    """Refuse what cannot be kept; the context as it is stored."""
    if len(message.id) != 32 or not _HEX.issuperset(message.id):
        raise InvalidInput(
            f"A message's id is 32 hexadecimal digits, not {message.id[:40]!r}; "
            "make it with message_id(run, node, epoch)."
        )
    if message.message_class not in CLASSES:
        raise InvalidInput(
            f"A message is marketing or transactional, not {message.message_class[:40]!r}."
        )
    for name in ("channel", "template", "category", "journey", "run", "node"):
        longest = 32 if name == "channel" else 64
        value = getattr(message, name)
        if len(value) > longest or (not value and name in ("channel", "template")):
            raise InvalidInput(f"{name} has 1 to {longest} characters, not {len(value)}.")
    context = msgspec.json.encode(message.context)
    if len(context) > _LARGEST_CONTEXT:
        raise InvalidInput(
            f"The context of a message may take {_LARGEST_CONTEXT:,} bytes; it holds ids only."
        )
    for moment in (message.queued_at, message.not_before, message.send_before):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput("The moments of a message must be aware.")
    return context.decode()


def _to_row(message: Message, context: str) -> Row:
    """The row in the order of the table's columns."""
    queued_at = to_micros(message.queued_at)
    not_before = None if message.not_before is None else to_micros(message.not_before)
    send_before = None if message.send_before is None else to_micros(message.send_before)
    due_at = queued_at if not_before is None else max(queued_at, not_before)
    return (
        message.id,
        message.customer,
        message.channel,
        message.template,
        message.template_version,
        message.category,
        message.message_class,
        message.journey,
        message.run,
        message.node,
        context,
        queued_at,
        not_before,
        send_before,
        State.QUEUED.value,
        due_at,
        None,  # worker
        None,  # lease_until
        0,  # fence
        0,  # attempts
        *(None,) * 5,  # what will come of it
    )
