"""Segments asked of everybody: new and changed ones, and those that read what was computed anew."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.catalogue.items import read_revision
from lingxi.segments.definitions import StoredSegment, is_still, list_segments, read_rules
from lingxi.segments.due import NEVER
from lingxi.segments.judge import Judge
from lingxi.segments.members import mark_seen, move_members, write_changes
from lingxi.segments.needs import find_needs
from lingxi.segments.rule import Rule
from lingxi.segments.tables import segment, segment_mark, segment_member, segment_timer
from lingxi.store.arrow_state import read_columns
from lingxi.store.keyed import upsert
from lingxi.store.log import log_position
from lingxi.store.tables import from_micros

_PART = 500
_AT_ONCE = 12
_ASKED = 5_000
CONSUMER = "segments"
"""The name of the cursor with which memberships follow the log."""
Marks = dict[str, str]


def refresh_stale(judge: Judge, now: datetime) -> int:
    """Ask the segments that need it of everybody; how many there were.

    A segment that is new has members who never entered it: they were what it is about already. A
    changed rule, and what was computed anew, let customers enter and leave.
    """
    with judge.store.read() as tx:
        stored = {each.segment.name: each for each in list_segments(tx)}
        if not stored:
            return 0
        rules = read_rules(tx)
        marks = {name: _read_marks(judge, tx, rule) for name, rule in rules.items()}
        known = {row.name: row.value for row in tx.execute(sa.select(segment_mark))}
    stale = [
        name
        for name, each in stored.items()
        if each.evaluated != each.segment.version
        or any(known.get(f"{name}:{key}") != value for key, value in marks[name].items())
    ]
    if stale:
        _refresh(judge, {name: rules[name] for name in stale}, stored, marks, now)
    return len(stale)


def read_stamp(judge: Judge, tx: Connection) -> object:
    """Something that is another whenever ``refresh_stale`` might find something to do."""
    c = segment.c
    stored = tx.execute(sa.select(c.name, c.version, c.evaluated).order_by(c.name)).all()
    revisions = {each.revision for each in judge.scores.values() if each.revision is not None}
    computed = {
        column.table.name: tx.execute(sa.select(column).limit(1)).scalar() for column in revisions
    }
    return (
        [tuple(row) for row in stored],
        computed,
        repr(judge.store.settings.consent),
        read_revision(tx),
    )


def _read_marks(judge: Judge, tx: Connection, rule: Rule) -> Marks:
    """What the answer depends on that changes without an event of the customer."""
    needs = find_needs([rule])
    found: Marks = {"rule": _digest(repr(rule))}
    columns = {judge.scores[name].revision for name in needs.scores if name in judge.scores}
    computed = {
        column.table.name: str(tx.execute(sa.select(column).limit(1)).scalar())
        for column in columns
        if column is not None
    }
    if computed:
        found["scores"] = repr(sorted(computed.items()))
    if needs.consents:
        found["consent"] = repr(judge.store.settings.consent)
    if needs.categories:
        goods = judge.read_goods(tx, needs)
        named = {key: sorted(goods[key]) for key in sorted(needs.categories)}
        found["goods"] = _digest(repr(named))
    return found


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _refresh(
    judge: Judge,
    rules: Mapping[str, Rule],
    stored: Mapping[str, StoredSegment],
    marks: Mapping[str, Marks],
    now: datetime,
) -> None:
    from lingxi.segments.bulk import Crowd, evaluate  # and with it Ibis, not needed elsewhere

    names = list(rules)
    with judge.store.analytics() as analytics:
        position = log_position(analytics.transaction)
        crowd = Crowd(judge.store, judge.scores, analytics, now)
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            asked = {f"s{number}": rules[name] for number, name in enumerate(part)}
            table = analytics.to_arrow(evaluate(crowd, asked, due=True))
            for column, name in zip(asked, part, strict=True):
                _write(judge, stored[name], table, column, marks[name], now)
        everybody = crowd.customers.tolist()
    if any(each.evaluated for each in stored.values()):
        return
    for start in range(0, len(everybody), _ASKED):  # all segments are new, and all were asked
        with judge.store.write() as tx:
            mark_seen(tx, everybody[start : start + _ASKED], now)
    with judge.store.write() as tx:
        judge.store.log.move_cursor(tx, CONSUMER, position)


def _write(
    judge: Judge, each: StoredSegment, table: pa.Table, column: str, marks: Marks, now: datetime
) -> None:
    """Keep what was found out about one segment, unless it is another by now."""
    name = each.segment.name
    customers = table.column("customer").to_numpy()
    inside = table.column(column).to_numpy(zero_copy_only=False).astype(bool)
    _write_members(judge, each, customers[inside], now)
    _write_timers(judge, name, customers, table.column(f"{column}.due").to_numpy())
    with judge.store.write() as tx:
        if not is_still(tx, each):
            return
        rows = [{"name": f"{name}:{key}", "value": value} for key, value in marks.items()]
        upsert(tx, segment_mark, rows)
        values = {"evaluated": each.segment.version, "evaluated_at": now}
        tx.execute(sa.update(segment).where(segment.c.name == name).values(values))


def _write_members(
    judge: Judge, each: StoredSegment, inside: "np.typing.NDArray[np.int64]", now: datetime
) -> None:
    name = each.segment.name
    with judge.store.read() as tx:
        query = sa.select(segment_member.c.customer).where(segment_member.c.segment == name)
        before = np.array(read_columns(tx, query)[0], np.int64)
    entered = np.setdiff1d(inside, before).tolist()
    left = np.setdiff1d(before, inside).tolist()
    changes = [((name, who), True) for who in entered] + [((name, who), False) for who in left]
    zone = judge.store.settings.zone
    cause = "rule" if each.evaluated != each.segment.version else "scores"
    for start in range(0, len(changes), _PART):
        part = changes[start : start + _PART]
        with judge.store.write() as tx:
            if not is_still(tx, each):
                return
            if each.evaluated:
                write_changes(tx, judge.store.log, part, now, cause, zone)
            else:
                move_members(tx, part, now, zone, told=False)


def _write_timers(
    judge: Judge,
    name: str,
    customers: "np.typing.NDArray[np.int64]",
    dues: "np.typing.NDArray[np.int64]",
) -> None:
    with judge.store.write() as tx:
        tx.execute(sa.delete(segment_timer).where(segment_timer.c.segment == name))
    moving = dues < NEVER
    pairs = list(zip(customers[moving].tolist(), dues[moving].tolist(), strict=True))
    for start in range(0, len(pairs), _PART):
        rows = [
            {"customer": who, "segment": name, "due_at": from_micros(due)}
            for who, due in pairs[start : start + _PART]
        ]
        with judge.store.write() as tx:
            upsert(tx, segment_timer, rows)
