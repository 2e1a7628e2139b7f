"""Memberships as they are kept: compared with what is true, and each change told once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.schema import Event, Name
from lingxi.segments.lists import SOURCE
from lingxi.segments.tables import segment, segment_day, segment_member, segment_timer
from lingxi.store import Log
from lingxi.store.adding import Columns, add_new, add_rows
from lingxi.store.keyed import execute_many, fetch_by_keys, fetch_texts, upsert
from lingxi.store.log import log_position
from lingxi.store.tables import to_micros

SEEN = "*"
"""In the place of a segment: the customer was asked for every segment; and a timer for all."""
CHUNK = 300
"""Rows of members and timers in a transaction."""
_ENTERED, _LEFT = Name.SEGMENT_ENTERED.value, Name.SEGMENT_LEFT.value
Pair = tuple[str, int]
"""A segment and a customer."""


Change = tuple[Pair, bool]
"""Who enters a segment, or leaves it."""


Timer = tuple[int, str, int]
"""Customer, segment, and the moment at which to look again in microseconds: a row of its table."""


@dataclass
class Truth:
    """What was found out of each customer: which segments they enter and leave, when to look again;
    and who was asked for every segment."""

    changes: dict[int, list[Change]] = field(default_factory=dict)
    timers: dict[int, list[Timer]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)


Members = Mapping[int, frozenset[str]]
"""The segments that customers are in, as the tables say."""


def read_members(tx: Connection, customers: Collection[int]) -> dict[int, frozenset[str]]:
    """The segments that each customer is in; ``SEEN`` among them."""
    m = segment_member.c
    found = fetch_texts(tx, m.customer, customers, m.segment)
    return {customer: frozenset(names) for customer, names in found.items()}


def write_changes(
    tx: Connection, log: Log, changes: Sequence[Change], now: datetime, cause: str, zone: tzinfo
) -> int:
    """Write who entered and left, and say it in the log; what is so already is left out, and what
    is about a segment that was removed meanwhile.

    In the transaction of the caller: the membership and its event are there together or not at
    all, whoever else may be writing. ``zone`` is the one of the days that changes are counted by.
    Returns the number of changes.
    """
    if not changes:
        return 0
    there = read_members(tx, {customer for (_, customer), _ in changes})
    known = _read_totals(tx, {name for (name, _), _ in changes})
    none: frozenset[str] = frozenset()
    real: list[Change] = [
        ((name, who), holds)
        for (name, who), holds in changes
        if name in known and holds is not (name in there.get(who, none))
    ]
    if not real:
        return 0
    move_members(tx, real, now, zone, totals=known)
    at = log_position(tx)
    own = {customer: customer for (_, customer), _ in real}
    log.append([_tell(pair, holds, now, at, cause) for pair, holds in real], tx=tx, owners=own)
    return len(real)


def move_members(
    tx: Connection,
    changes: Sequence[Change],
    now: datetime,
    zone: tzinfo,
    *,
    told: bool = True,
    totals: Mapping[str, int] | None = None,
) -> None:
    """Note who is a member now and who is not, and how many there are; changes that are not told
    are those of a new segment, which nobody enters. ``totals`` are the numbers of members before,
    if the transaction has read them."""
    since = to_micros(now)
    add_new(tx, segment_member, [(n, c, since) for (n, c), holds in changes if holds])
    gone = [{"s": name, "c": customer} for (name, customer), holds in changes if not holds]
    if gone:
        m = segment_member.c
        where = (m.segment == sa.bindparam("s"), m.customer == sa.bindparam("c"))
        execute_many(tx, sa.delete(segment_member).where(*where), gone)
    counts: dict[str, list[int]] = {}
    for (name, _), holds in changes:
        counts.setdefault(name, [0, 0])[not holds] += 1
    before = _read_totals(tx, counts) if totals is None else totals
    _count_changes(tx, counts, before, f"{now.astimezone(zone):%Y-%m-%d}", told=told)


def _count_changes(
    tx: Connection,
    counts: Mapping[str, Sequence[int]],
    before: Mapping[str, int],
    day: str,
    *,
    told: bool,
) -> None:
    """Bring the numbers of members, and of the day's changes, up to date."""
    moved, rows = [], []
    for name, (entered, left) in counts.items():
        moved.append({"n": name, "d": entered - left})
        news = (entered, left) if told else (0, 0)
        rows.append((name, day, *news, before[name] + entered - left))
    execute_many(tx, _MOVE, moved)
    add_rows(tx, segment_day, _add_day, rows)


_MOVE = (
    sa.update(segment)
    .where(segment.c.name == sa.bindparam("n"))
    .values(members=segment.c.members + sa.bindparam("d"))
)


def _add_day(old: Columns, new: Columns) -> Columns:
    """What entered and left is added up; the number of members is the last one."""
    return {
        "entered": old["entered"] + new["entered"],
        "left": old["left"] + new["left"],
        "members": new["members"],
    }


def _read_totals(tx: Connection, names: Collection[str]) -> dict[str, int]:
    """The number of members of each of these segments; none for those that there are not."""
    keys = [(name,) for name in names]
    return dict(fetch_by_keys(tx, [segment.c.name], keys, [segment.c.name, segment.c.members]))


def write_timers(tx: Connection, timers: Sequence[Timer]) -> None:
    """Set timers; where there is one already, the earlier of the two stays: one that wakes too
    early is harmless."""
    add_rows(tx, segment_timer, _take_due, timers, only=_is_earlier)


def _take_due(_old: Columns, new: Columns) -> Columns:
    return {"due_at": new["due_at"]}


def _is_earlier(old: Columns, new: Columns) -> sa.ColumnElement[bool]:
    return new["due_at"] < old["due_at"]


def clear_timers(tx: Connection, fired: Collection[Pair], now: datetime) -> None:
    """Remove timers that were due and looked at; those set anew since are in the future."""
    t = segment_timer.c
    due = sa.type_coerce(t.due_at, sa.BigInteger) <= sa.bindparam("n")
    where = (t.segment == sa.bindparam("s"), t.customer == sa.bindparam("c"), due)
    if fired:
        gone = [{"s": name, "c": customer, "n": to_micros(now)} for name, customer in fired]
        execute_many(tx, sa.delete(segment_timer).where(*where), gone)


def mark_seen(tx: Connection, customers: Collection[int], now: datetime) -> None:
    """Note that these customers were asked for every segment."""
    rows = [{"segment": SEEN, "customer": who, "since": now} for who in customers]
    upsert(tx, segment_member, rows)


def carry_over(tx: Connection, kept: int, merged: int) -> None:
    """What was a member as ``merged`` is one as ``kept``: they are one person, who does not enter
    again. The earlier entry counts."""
    m = segment_member.c
    query = sa.select(m.segment, m.since)
    own = {row[0]: row[1] for row in tx.execute(query.where(m.customer == kept))}
    rows = []
    for name, since in tx.execute(query.where(m.customer == merged)).all():
        if name in own:
            fewer = sa.update(segment).where(segment.c.name == name)
            tx.execute(fewer.values(members=segment.c.members - 1))
        if name != SEEN and (name not in own or since < own[name]):
            rows.append({"segment": name, "customer": kept, "since": since})
    upsert(tx, segment_member, rows)
    tx.execute(sa.delete(segment_member).where(m.customer == merged))
    tx.execute(sa.delete(segment_timer).where(segment_timer.c.customer == merged))


def wake(tx: Connection, customer: int, now: datetime) -> None:
    """Have a customer asked for every segment again, after a change that no event tells."""
    upsert(tx, segment_timer, [{"customer": customer, "segment": SEEN, "due_at": now}])


def _tell(pair: Pair, holds: bool, now: datetime, at: int, cause: str) -> Event:
    name, customer = pair
    return Event(
        event_id=f"segment:{at:015d}:{customer}:{name}",
        name=_ENTERED if holds else _LEFT,
        occurred_at=now,
        received_at=now,
        subject=customer,
        properties={"segment": name, "cause": cause},
        source=SOURCE,
    )
