"""Memberships that follow the log: one event asks only the rules that it can change again, and a
rule that changes with time alone is asked when its moment has come."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from lingxi.schema import Event, Name
from lingxi.segments.definitions import list_written, read_rules
from lingxi.segments.due import NEVER
from lingxi.segments.facts import Facts
from lingxi.segments.gather import read_people
from lingxi.segments.index import Compiled, Index, compile_segments
from lingxi.segments.judge import Judge
from lingxi.segments.members import (
    CHUNK,
    SEEN,
    Change,
    Members,
    Pair,
    Timer,
    Truth,
    carry_over,
    clear_timers,
    mark_seen,
    read_members,
    write_changes,
    write_timers,
)
from lingxi.segments.needs import find_needs
from lingxi.segments.refresh import CONSUMER, read_stamp, refresh_stale
from lingxi.segments.tables import segment_timer
from lingxi.store.log import log_position, read_events
from lingxi.store.projection import find_customers
from lingxi.store.tables import to_micros

BATCH = 1_000
_OWN = frozenset({Name.SEGMENT_ENTERED.value, Name.SEGMENT_LEFT.value})
_MERGES = frozenset({Name.CUSTOMERS_MERGED.value, Name.MERGE_UNDONE.value})
_NONE: frozenset[str] = frozenset()


class Keeper:
    """Keeps memberships of one store current. One process at a time is enough; several do no harm.

    A crash at any moment leaves memberships and events that agree; what was not written is found
    again, because the cursor moves last.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._store = judge.store
        self._profile = {n: s.events for n, s in judge.scores.items() if s.revision is None}
        self._written: tuple[tuple[str, str], ...] | None = None
        self._compiled: Mapping[str, Compiled] = {}
        self._index = Index({}, {})
        self._reading: frozenset[str] = frozenset()
        self._seen: set[int] = set()
        self._met: set[int] = set()
        self._fresh: object = None

    def run_once(self, now: datetime, *, limit: int = BATCH) -> int:
        """Do what is due: segments that are new or read something computed anew, then timers, then
        at most ``limit`` events. How much was done; 0 when memberships are current."""
        done = self._refresh(now)
        done += self._take_timers(now, limit)
        return done + self._take_events(now, limit)

    def run_all(self, now: datetime) -> int:
        """The same until there is nothing left to do."""
        total = 0
        while done := self.run_once(now):
            total += done
        return total

    def _refresh(self, now: datetime) -> int:
        """Ask segments of everybody where need be; nothing is read twice that has not changed."""
        with self._store.read() as tx:
            stamp = read_stamp(self._judge, tx)
        if stamp == self._fresh:
            return 0
        done = refresh_stale(self._judge, now)
        self._fresh = None if done else stamp
        return done

    def _load(self, tx: Connection) -> None:
        """Compile the segments anew where one has changed."""
        written = list_written(tx)
        if written != self._written:
            self._compiled = compile_segments(read_rules(tx), self._judge.moments)
            self._index = Index(self._compiled, self._profile)
            self._reading = frozenset(n for n, c in self._compiled.items() if c.needs.payloads)
            self._written = written
            self._seen.clear()
            self._met.clear()

    def _take_events(self, now: datetime, limit: int) -> int:
        start = self._store.log.cursor(CONSUMER)
        with self._store.read() as tx:
            self._load(tx)
            if not self._compiled:
                return 0
            events = read_events(tx, after=start, limit=limit, besides=_OWN)
            end = events[-1].position if len(events) == limit else log_position(tx)
            merges = _list_merges(tx, events)
        if end == start:
            return 0
        if merges:
            with self._store.write() as tx:
                for kept, merged in merges:
                    carry_over(tx, kept, merged)
            self._seen.difference_update(merged for _, merged in merges)
        with self._store.read() as tx:
            asked, known = self._list_asked(tx, events)
            truth = self._ask(tx, asked, known, now)
        self._write(truth, now, "event", move=(start, end))
        self._met.update(asked)
        return len(events)

    def _list_asked(
        self, tx: Connection, events: Sequence[Event]
    ) -> tuple[dict[int, set[str]], Members]:
        """The segments to ask for each customer, and those that each is in."""
        goods = self._judge.read_goods(tx, find_needs(c.rule for c in self._compiled.values()))
        whose = [(e, e.subject) for e in events if e.subject is not None]
        owners = find_customers(tx, {subject for _, subject in whose})
        sides = {who for each, _ in whose if each.name in _MERGES for who in _list_sides(each)}
        known = read_members(tx, sides.union(owners.values()))
        asked: dict[int, set[str]] = {who: set() for who in sides.union(owners.values())}
        for each, subject in whose:
            who = owners[subject]
            found = self._index.find_open(each, goods, known.get(who, _NONE))
            for one in (who, *(_list_sides(each) if each.name in _MERGES else ())):
                asked[one].update(found)
        for customer in asked.keys() - self._met:  # perhaps their first event
            asked[customer].update(self._index.starts)
        for customer in self._find_new(asked, known):
            asked[customer].update(self._compiled)
        return asked, known

    def _find_new(self, customers: Iterable[int], known: Members) -> list[int]:
        """Customers that were not asked for every segment yet."""
        strange = [who for who in customers if who not in self._seen]
        seen = {who for who in strange if SEEN in known.get(who, _NONE)}
        self._seen |= seen
        return [who for who in strange if who not in seen]

    def _ask(
        self, tx: Connection, asked: Mapping[int, Collection[str]], known: Members, now: datetime
    ) -> Truth:
        """Who of these enters or leaves, and when to look again."""
        now_us, everything = to_micros(now), len(self._compiled)
        truth = Truth()
        judges = {name: each.judge for name, each in self._compiled.items()}
        for who, facts in self._read_facts(tx, asked):
            names, inside = asked[who], known.get(who, _NONE)
            changes: list[Change] = []
            timers: list[Timer] = []
            if not facts.known:
                changes = [((name, who), False) for name in names if name in inside]
                names = _NONE
            for name in names:
                holds, due = judges[name](facts, now_us)
                if holds is not (name in inside):
                    changes.append(((name, who), holds))
                if due < NEVER:
                    timers.append((who, name, due))
            if changes:
                truth.changes[who] = changes
            if timers:
                truth.timers[who] = timers
            if len(names) == everything:
                truth.seen.add(who)
        return truth

    def _read_facts(
        self, tx: Connection, asked: Mapping[int, Collection[str]]
    ) -> Iterator[tuple[int, Facts]]:
        """What the segments need to know of each customer, who is asked for any; what events hold
        is read of those alone of whom a rule wants it."""
        for reads in (False, True):
            mine = {
                who: names
                for who, names in asked.items()
                if names and self._reading.isdisjoint(names) is not reads
            }
            wanted = {name for names in mine.values() for name in names}
            needs = find_needs(self._compiled[name].rule for name in wanted)
            yield from self._judge.read_facts(tx, list(mine), needs).items()

    def _take_timers(self, now: datetime, limit: int) -> int:
        t = segment_timer.c
        query = sa.select(t.segment, t.customer).where(t.due_at <= now).order_by(t.due_at)
        with self._store.read() as tx:
            self._load(tx)
            fired: list[Pair] = [(row[0], row[1]) for row in tx.execute(query.limit(limit))]
            if not fired:
                return 0
            asked: dict[int, set[str]] = {}
            for name, who in fired:
                wanted = self._compiled if name == SEEN else {name} & self._compiled.keys()
                asked.setdefault(who, set()).update(wanted)
            truth = self._ask(tx, asked, read_members(tx, asked), now)
        self._write(truth, now, "time", fired=fired)
        return len(fired)

    def _write(
        self,
        truth: Truth,
        now: datetime,
        cause: str,
        *,
        move: tuple[int, int] | None = None,
        fired: Sequence[Pair] = (),
    ) -> None:
        """Write in short transactions, so that the collector never waits long; the cursor last."""
        log = self._store.log
        anew = _take_out(truth, fired)
        for part, timers in _parts(truth):
            with self._store.write() as tx:
                write_changes(tx, log, part, now, cause, self._store.settings.zone)
                write_timers(tx, timers)
        for start in range(0, len(fired), CHUNK):
            pairs = fired[start : start + CHUNK]
            with self._store.write() as tx:  # never a moment without the one or the other
                clear_timers(tx, pairs, now)
                write_timers(tx, [anew[pair] for pair in pairs if pair in anew])
        new = [who for who in truth.seen if who not in self._seen]
        with self._store.write() as tx:
            mark_seen(tx, new, now)
            if move is not None:
                log.move_cursor(tx, CONSUMER, max(move[1], move[0]))
        self._seen.update(new)


def _list_merges(tx: Connection, events: Iterable[Event]) -> list[tuple[int, int]]:
    """Who became one with whom in these events, and still is."""
    merged = [
        (e.properties.get("kept"), e.properties.get("merged"))
        for e in events
        if e.name == Name.CUSTOMERS_MERGED
    ]
    pairs = [(k, m) for k, m in merged if isinstance(k, int) and isinstance(m, int)]
    if not pairs:
        return []
    people = read_people(tx, {gone for _, gone in pairs})
    owners = find_customers(tx, {kept for kept, _ in pairs})
    return [(owners[kept], gone) for kept, gone in pairs if not people[gone]]


def _list_sides(event: Event) -> list[int]:
    """Who became one, or two again."""
    sides = (event.properties.get(side) for side in ("kept", "merged"))
    return [who for who in sides if isinstance(who, int)]


def _take_out(truth: Truth, fired: Collection[Pair]) -> dict[Pair, Timer]:
    """The timers that are set anew in place of those that fired; the truth keeps the others."""
    gone, anew = set(fired), {}
    for who in {customer for _, customer in fired} & truth.timers.keys():
        timers = truth.timers[who]
        anew.update({(t[1], who): t for t in timers if (t[1], who) in gone})
        truth.timers[who] = [t for t in timers if (t[1], who) not in gone]
    return anew


def _parts(truth: Truth) -> Iterator[tuple[list[Change], list[Timer]]]:
    """What is written at once: whole customers, whose rows touch the same pages."""
    changes: list[Change] = []
    timers: list[Timer] = []
    for customer in sorted(truth.changes.keys() | truth.timers.keys()):
        changes += truth.changes.get(customer, ())
        timers += truth.timers.get(customer, ())
        if len(changes) + len(timers) >= CHUNK:
            yield changes, timers
            changes, timers = [], []
    if changes or timers:
        yield changes, timers
