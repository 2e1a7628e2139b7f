"""Into the queue, in the caller's own transaction, each id once; and out of it again."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from lingxi.errors import InvalidInput
from lingxi.messaging.events import message_event
from lingxi.messaging.nouns import CLASSES, Message, SkipReason, State
from lingxi.messaging.tables import message as table
from lingxi.schema import Name
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys, insert_or_ignore

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
    for each in unique.values():
        _check(each)
    known = {
        row[0] for row in fetch_by_keys(tx, [table.c.id], [(i,) for i in unique], [table.c.id])
    }
    new = [each for each in unique.values() if each.id not in known]
    if new:
        tx.execute(insert_or_ignore(tx, table), [_to_row(each) for each in new])
        store.log.append(
            [message_event(Name.MESSAGE_QUEUED, each, each.queued_at) for each in new], tx=tx
        )
    return len(new)


def cancel_messages(
    store: Store,
    tx: sa.Connection,
    run: str,
    now: datetime,
    *,
    reason: SkipReason = SkipReason.CANCELLED,
) -> int:
    """Take back what a run has queued and nobody has begun to send; how many messages."""
    query = sa.select(table).where(
        table.c.run == run, table.c.journey != "", table.c.state == State.QUEUED.value
    )
    found = [read_message(row) for row in tx.execute(query).mappings()]
    if not found:
        return 0
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


def _check(message: Message) -> None:
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
    if len(msgspec.json.encode(message.context)) > _LARGEST_CONTEXT:
        raise InvalidInput(
            f"The context of a message may take {_LARGEST_CONTEXT:,} bytes; it holds ids only."
        )
    for moment in (message.queued_at, message.not_before, message.send_before):
        if moment is not None and moment.tzinfo is None:
            raise InvalidInput("The moments of a message must be aware.")


def _to_row(message: Message) -> dict[str, object]:
    row = msgspec.structs.asdict(message)
    row["context"] = msgspec.json.encode(message.context).decode()
    row.update(
        state=State.QUEUED.value,
        due_at=max(message.queued_at, message.not_before or message.queued_at),
        fence=0,
        attempts=0,
    )
    return row
