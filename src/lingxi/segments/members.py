"""Memberships as they are kept: compared with what is true, and each change told once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.schema import Event, Name
from lingxi.segments.due import NEVER
from lingxi.segments.lists import SOURCE
from lingxi.segments.tables import segment, segment_day, segment_member, segment_timer
from lingxi.store import Log
from lingxi.store.keyed import fetch_by_keys, select_by_keys, upsert
from lingxi.store.log import log_position
from lingxi.store.tables import from_micros, to_micros

SEEN = "*"
"""In the place of a segment: the customer was asked for every segment; and a timer for all."""
CHUNK = 200
Pair = tuple[str, int]
"""A segment and a customer."""


@dataclass
class Truth:
    """What was found out: who is in which segment, and when to look again (microseconds)."""

    holds: dict[Pair, bool] = field(default_factory=dict)
    dues: dict[Pair, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Known:
    """What the tables say of some customers: segments with the moment of entry, timers."""

    members: Mapping[int, Mapping[str, int]]
    timers: Mapping[Pair, int]


def read_known(tx: Connection, customers: Collection[int]) -> Known:
    """Memberships and timers of some customers, moments in microseconds."""
    keys = [(customer,) for customer in customers]
    m, t = segment_member.c, segment_timer.c
    members: dict[int, dict[str, int]] = {}
    for customer, name, since in fetch_by_keys(
        tx, [m.customer], keys, [m.customer, m.segment, m.since]
    ):
        members.setdefault(customer, {})[name] = _micros(since)
    timers = {
        (name, customer): _micros(due)
        for customer, name, due in fetch_by_keys(
            tx, [t.customer], keys, [t.customer, t.segment, t.due_at]
        )
    }
    return Known(members, timers)


def _micros(moment: int | datetime) -> int:
    return to_micros(moment) if isinstance(moment, datetime) else moment


def list_changes(truth: Truth, known: Known) -> list[tuple[Pair, bool]]:
    """Who would enter or leave."""
    none: Mapping[str, int] = {}
    return [
        (pair, holds)
        for pair, holds in truth.holds.items()
        if holds is not (pair[0] in known.members.get(pair[1], none))
    ]


def list_timers(truth: Truth, known: Known, *, fired: Collection[Pair] = ()) -> dict[Pair, int]:
    """Timers to set: where there is none, or a later one; one that wakes too early is harmless."""
    return {
        pair: due
        for pair, due in truth.dues.items()
        if due < NEVER and (pair in fired or due < known.timers.get(pair, NEVER))
    }


def write_changes(
    tx: Connection, log: Log, changes: Sequence[tuple[Pair, bool]], now: datetime, cause: str
) -> int:
    """Write who entered and left, and say it in the log; what is so already is left out.

    In the transaction of the caller: the membership and its event are there together or not at
    all, whoever else may be writing. Returns the number of changes.
    """
    columns = [segment_member.c.segment, segment_member.c.customer]
    pairs = [pair for pair, _ in changes]
    there = {tuple(row) for row in tx.execute(select_by_keys(tx, columns, pairs, columns))}
    real = [(pair, holds) for pair, holds in changes if holds is not (pair in there)]
    if not real:
        return 0
    rows = [{"segment": n, "customer": c, "since": now} for (n, c), holds in real if holds]
    upsert(tx, segment_member, rows)
    gone = [{"s": name, "c": customer} for (name, customer), holds in real if not holds]
    if gone:
        where = (columns[0] == sa.bindparam("s"), columns[1] == sa.bindparam("c"))
        tx.execute(sa.delete(segment_member).where(*where), gone)
    count_changes(tx, real, now)
    at = log_position(tx)
    log.append([_tell(pair, holds, now, at, cause) for pair, holds in real], tx=tx)
    return len(real)


def count_changes(
    tx: Connection, changes: Sequence[tuple[Pair, bool]], now: datetime, *, told: bool = True
) -> None:
    """Bring the numbers of members, and of the day's changes, up to date; changes that are not
    told are those of a new segment, which nobody enters."""
    counts: dict[str, list[int]] = {}
    for (name, _), holds in changes:
        counts.setdefault(name, [0, 0])[not holds] += 1
    moved = [{"n": name, "d": entered - left} for name, (entered, left) in counts.items()]
    more = segment.c.members + sa.bindparam("d")
    tx.execute(
        sa.update(segment).where(segment.c.name == sa.bindparam("n")).values(members=more), moved
    )
    day, d = f"{now:%Y-%m-%d}", segment_day.c
    whole = (d.day == day, d.segment.in_(counts))
    known = tx.execute(sa.select(d.segment, d.entered, d.left).where(*whole)).all()
    so_far = {row[0]: (row[1], row[2]) for row in known}
    totals = sa.select(segment.c.name, segment.c.members).where(segment.c.name.in_(counts))
    rows = []
    for name, total in tx.execute(totals).all():
        entered, left = counts[name] if told else (0, 0)
        before = so_far.get(name, (0, 0))
        row = {"segment": name, "day": day, "members": total}
        rows.append({**row, "entered": entered + before[0], "left": left + before[1]})
    upsert(tx, segment_day, rows)


def write_timers(tx: Connection, timers: Mapping[Pair, int]) -> None:
    """Set timers, each in place of an earlier one."""
    rows = [
        {"customer": customer, "segment": name, "due_at": from_micros(due)}
        for (name, customer), due in timers.items()
    ]
    upsert(tx, segment_timer, rows)


def clear_timers(tx: Connection, fired: Collection[Pair], now: datetime) -> None:
    """Remove timers that were due and looked at; those set anew since are in the future."""
    t = segment_timer.c
    where = (t.segment == sa.bindparam("s"), t.customer == sa.bindparam("c"), t.due_at <= now)
    if fired:
        gone = [{"s": name, "c": customer} for name, customer in fired]
        tx.execute(sa.delete(segment_timer).where(*where), gone)


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
    what = Name.SEGMENT_ENTERED if holds else Name.SEGMENT_LEFT
    return Event(
        event_id=f"segment:{name}:{customer}:{at}",
        name=what.value,
        occurred_at=now,
        received_at=now,
        subject=customer,
        properties={"segment": name, "cause": cause},
        source=SOURCE,
    )
