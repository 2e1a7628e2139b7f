"""How far topics were read, in the shop's own database: moved with what was made of the records."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.errors import StoreBusy
from lingxi.store.keyed import upsert
from lingxi.store.tables import topic_offset


class Moved(msgspec.Struct, frozen=True):
    """One partition: from where it was read, where to go on, and how many records wait there.

    ``before`` is what the database said; nothing where it knew none.
    """

    partition: int
    before: int | None
    after: int
    behind: int = 0


class Lag(msgspec.Struct, frozen=True):
    """A topic as it was last read: ``behind`` records then waited, ``read`` is where to go on."""

    read: Mapping[int, int]
    behind: int
    moved_at: datetime | None


def find_offsets(tx: Connection, topic: str) -> dict[int, int]:
    """Where to go on in each partition that was ever read."""
    query = sa.select(topic_offset.c.partition, topic_offset.c.next).where(
        topic_offset.c.topic == topic
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def move_offsets(tx: Connection, topic: str, moves: Sequence[Moved], now: datetime) -> None:
    """Note how far partitions were read, in the transaction that keeps what was made of them.

    Raises
    ------
    StoreBusy
        If another process has read one of them meanwhile; then nothing of this may be kept.
    """
    known = find_offsets(tx, topic)
    for each in moves:
        if known.get(each.partition) != each.before:
            raise StoreBusy(
                f"Partition {each.partition} of {topic!r} was read by another process meanwhile."
            )
    upsert(
        tx,
        topic_offset,
        [
            {
                "topic": topic,
                "partition": each.partition,
                "next": each.after,
                "behind": each.behind,
                "moved_at": now,
            }
            for each in moves
        ],
    )


def read_lag(tx: Connection, topic: str) -> Lag:
    """How far a topic was read, and what waited when that was last known."""
    columns = topic_offset.c
    rows = tx.execute(sa.select(topic_offset).where(columns.topic == topic)).all()
    moments = [row.moved_at for row in rows]
    return Lag(
        read={row.partition: row.next for row in rows},
        behind=sum(row.behind for row in rows),
        moved_at=max(moments, default=None),
    )
