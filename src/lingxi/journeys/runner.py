"""Moves runs that are due: prepared while nothing is locked, written in one short transaction.

While others than runners write to the log too, the write lock is held for a few milliseconds at
most (the number of runs in a transaction follows from what the last one took), and the runner
pauses for as long again, so that the collector, whose clients wait, comes in between.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from lingxi.errors import LingxiError
from lingxi.journeys.change import Change
from lingxi.journeys.facts import BatchFacts
from lingxi.journeys.graph import Journey
from lingxi.journeys.hands import Hands
from lingxi.journeys.keep import keep_current, write_changes
from lingxi.journeys.lanes import Lanes
from lingxi.journeys.lead import lead
from lingxi.journeys.run import FIELDS, Outcome, Run, RunState, read_run
from lingxi.journeys.standing import Lookout
from lingxi.journeys.tables import run as runs
from lingxi.journeys.unread import Unread
from lingxi.journeys.versions import get_version
from lingxi.store import Store, counters
from lingxi.store.log import log_position
from lingxi.store.prepared import Prepared
from lingxi.store.tables import to_micros

MOST_RUNS = 100
HELD_SECONDS = 0.005
"""The most work that a transaction is meant to do while it holds the write lock."""
_FEWEST_RUNS = 25
_TRIES = (60, 300, 1_800, 7_200, 43_200)
"""Seconds until a run whose step failed is tried again; after the last it ends."""
_LEFT_AT = "journeys"
"""The counter of where the log ended when the last runner had written."""
_COLUMNS = [runs.c[name] for name in FIELDS]
_DUE = Prepared(
    sa.select(*_COLUMNS)
    .where(
        runs.c.lane == sa.bindparam("lane", type_=sa.BigInteger),
        runs.c.due_at.is_not(None),
        runs.c.due_at <= sa.bindparam("now", type_=sa.BigInteger),
    )
    .order_by(runs.c.due_at)
    .limit(sa.bindparam("n", type_=sa.BigInteger)),
    "lane",
    "now",
    "n",
)


class Runner:
    """One worker's hand on the runs; ``owner`` names the worker and no other."""

    def __init__(
        self,
        store: Store,
        hands: Hands,
        owner: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._hands, self._sleep = store, hands, sleep
        self.lanes = Lanes(store, owner)
        self._used = False
        self._lookout, self._unread = Lookout(), Unread()
        self._turn = 0
        self._size = MOST_RUNS
        self._busy = True
        self._journeys: dict[tuple[str, int], Journey] = {}

    def run_once(self, now: datetime) -> int:
        """Move up to ``MOST_RUNS`` runs that are due by one look each; how many."""
        if not self._used:
            with self._store.read() as tx:
                self._used = tx.execute(sa.select(runs.c.id).limit(1)).first() is not None
        held = self.lanes.hold(now) if self._used else ()
        if not held:
            return 0
        with self._store.read() as tx:
            due = self._find_due(tx, held, now)
            if not due:
                return 0
            changes = self._prepare(tx, due, now)
        if not changes:
            return 0
        return self._write(changes, now)

    def _find_due(self, tx: sa.Connection, lanes: Sequence[int], now: datetime) -> list[Run]:
        found: list[Run] = []
        at = to_micros(now)
        for step in range(len(lanes)):
            place = lanes[(self._turn + step) % len(lanes)]
            rows = _DUE.fetch(tx, place, at, self._size - len(found))
            found += [read_run(row) for row in rows]
            if len(found) >= self._size:
                self._turn = (self._turn + step + (len(rows) < self._size)) % len(lanes)
                break
        self._turn = (self._turn + 1) % len(lanes)
        return found

    # -- preparing

    def _prepare(self, tx: sa.Connection, due: Sequence[Run], now: datetime) -> list[Change]:
        standing = self._lookout.look(tx)
        customers = [run.customer for run in due]
        waiting = self._unread.find(tx, customers, standing.names)
        facts = BatchFacts(self._store, tx, self._hands, now, standing.priorities, customers)
        order = sorted(due, key=lambda run: -standing.priorities.get(run.journey, 0))
        changes = []
        for run in order:
            if run.journey in standing.paused:
                changes.append(_park(run))
            elif run.customer not in waiting:  # what the customer did last may end the run
                changes.append(self._walk(tx, run, facts, now))
        return changes

    def _walk(self, tx: sa.Connection, run: Run, facts: BatchFacts, now: datetime) -> Change:
        try:
            journey = self._journey_of(tx, run)
            return lead(run, journey, facts, now)
        except LingxiError as error:
            structlog.get_logger().warning(
                "journey_step_failed", journey=run.journey, run=run.id, error=type(error).__name__
            )
            return _try_later(run, error, now)

    def _journey_of(self, tx: sa.Connection, run: Run) -> Journey:
        key = run.journey, run.version
        if key not in self._journeys:
            self._journeys[key] = get_version(tx, *key)
        return self._journeys[key]

    # -- writing

    def _write(self, changes: Sequence[Change], now: datetime) -> int:
        with self._store.write(eager=not self._busy) as tx:
            started, worked = time.perf_counter(), time.thread_time()
            self._busy = log_position(tx) != counters.peek(tx, _LEFT_AT)
            current = keep_current(tx, changes, self.lanes.owned(tx, now))
            write_changes(self._store, tx, self._hands, current, self._journeys, now)
            counters.put(tx, _LEFT_AT, log_position(tx))
            worked = time.thread_time() - worked
        if self._busy:
            self._sleep(min(time.perf_counter() - started, 0.1))
        fitting = int(len(changes) * HELD_SECONDS / max(worked, 1e-6)) if self._busy else MOST_RUNS
        self._size = max(_FEWEST_RUNS, min(MOST_RUNS, fitting, self._size * 2))
        return len(current)


def _park(run: Run) -> Change:
    """A run of a paused journey stands still until the journey goes on."""
    change = Change.of(run)
    change.epoch += 1
    change.due_at = None
    return change


def _try_later(run: Run, error: LingxiError, now: datetime) -> Change:
    """A run whose step failed: again later, and in the end not at all."""
    change = Change.of(run)
    tries = int(run.context.get("tries", 0))
    at = to_micros(now)
    last = tries >= len(_TRIES)
    port = Outcome.FAILED.value if last else ""
    change.note(port, at, "journeys.did.failed", error=error.code, tries=tries + 1)
    if last:
        change.end(Outcome.FAILED, at)
        return change
    change.remember("tries", tries + 1)
    change.wait(
        to_micros(now + timedelta(seconds=_TRIES[tries])),
        state=run.state if run.state is RunState.WAITING else RunState.READY,
    )
    return change
