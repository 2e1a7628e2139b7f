"""Runs of some customers, read once within a writing transaction; begins, wakes and ends them.

What one event changes the next event sees, as if each had a transaction of its own; all of it is
written at the end, in a few statements.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lingxi.experiments import HOLDOUT, TREATED, in_holdout
from lingxi.experiments.exposure import log_arms
from lingxi.journeys.change import Change
from lingxi.journeys.durations import read_duration
from lingxi.journeys.graph import Enter, Journey, Meanwhile
from lingxi.journeys.hands import Hands
from lingxi.journeys.keep import write_changes
from lingxi.journeys.run import FIELDS, LANES, Context, Outcome, Run, RunState, read_run
from lingxi.journeys.tables import run as runs
from lingxi.journeys.versions import Live, get_version
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.tables import to_micros

_COUNTER = "journey_run"
_COLUMNS = [runs.c[name] for name in FIELDS]
_ACTIVE = (RunState.READY, RunState.WAITING)


@dataclass(frozen=True)
class Entrant:
    """A customer who is to begin a journey: through which surrogate, for what key, and why."""

    customer: int
    subject: int
    key: str = ""
    context: Context = field(default_factory=dict)
    due_at: datetime | None = None


class Book:
    """The runs of some customers."""

    def __init__(
        self,
        store: Store,
        tx: sa.Connection,
        hands: Hands,
        customers: Collection[int],
        now: datetime,
    ) -> None:
        self._store, self._tx, self._hands, self._now = store, tx, hands, now
        self._at = to_micros(now)
        self._changes: dict[int, Change] = {}
        self._new: dict[int, Run] = {}
        self._journeys: dict[tuple[str, int], Journey] = {}
        self._arms: dict[str, dict[int, str]] = {}
        self._read(sorted(customers))

    def _read(self, customers: Sequence[int]) -> None:
        self._active: dict[int, list[Run]] = {}
        self._last: dict[tuple[int, str, str], int] = {}
        keys = [(customer,) for customer in customers]
        c = runs.c
        columns: list[sa.Column[Any]] = [c.customer, c.journey, c.key, c.started_at, c.state, c.id]
        found = fetch_by_keys(self._tx, [c.customer], keys, columns)
        active = []
        for customer, journey, key, started_at, state, number in found:
            place = customer, journey, key
            self._last[place] = max(started_at, self._last.get(place, 0))
            if state in _ACTIVE:
                active.append((number,))
        for row in fetch_by_keys(self._tx, [c.id], active, _COLUMNS):
            run = read_run(row)
            self._active.setdefault(run.customer, []).append(run)

    # -- reading

    def list_active(self, customer: int) -> list[Run]:
        """The customer's runs that are on their way, as they are by now."""
        return [run for run in self._active.get(customer, []) if self._is_active(run)]

    def _is_active(self, run: Run) -> bool:
        change = self._changes.get(run.id)
        return run.active if change is None else change.state in _ACTIVE

    def journey_of(self, run: Run) -> Journey:
        """The version that a run is on."""
        key = run.journey, run.version
        if key not in self._journeys:
            self._journeys[key] = get_version(self._tx, *key)
        return self._journeys[key]

    def change(self, run: Run) -> Change:
        """The run as it is by now, to be changed further."""
        return self._changes.setdefault(run.id, Change.of(run))

    def node_of(self, run: Run) -> str:
        """The step where a run is by now."""
        change = self._changes.get(run.id)
        return run.node if change is None else change.node

    # -- changing

    def start(self, live: Live, entrant: Entrant) -> Run | None:
        """Begin a run, unless re-entry forbids it; those held out get a row and nothing else."""
        journey = live.journey
        place = entrant.customer, live.name, entrant.key
        if not self._may_enter(journey, place):
            return None
        held = self._hold_out(live, entrant.customer)
        number = self._store.allocate(self._tx, _COUNTER, 1)[0]
        due = to_micros(entrant.due_at) if entrant.due_at else self._at
        run = Run(
            id=number,
            journey=live.name,
            version=live.version,
            customer=entrant.customer,
            subject=entrant.subject,
            key=entrant.key,
            state=RunState.HELD_OUT if held else RunState.READY,
            node=journey.start,
            epoch=0,
            lane=number % LANES,
            due_at=None if held else due,
            started_at=self._at,
            entered_at=due,
            ended_at=self._at if held else None,
            outcome=Outcome.HELD_OUT.value if held else None,
            context=dict(entrant.context),
            path="[]",
        )
        self._new[number] = run
        self._last[place] = self._at
        self._journeys[live.name, live.version] = journey
        if not held:
            self._active.setdefault(run.customer, []).append(run)
        return run

    def _may_enter(self, journey: Journey, place: tuple[int, str, str]) -> bool:
        customer, name, key = place
        rule = journey.reentry
        last = self._last.get(place)
        if last is not None:
            if rule.mode is Enter.ONCE:
                return False
            if rule.mode is Enter.AFTER:
                length = read_duration(rule.after)
                if self._at < last + length.total_seconds() * 1_000_000:
                    return False
        for run in self.list_active(customer):
            if run.journey == name and run.key == key:
                if rule.meanwhile is Meanwhile.IGNORE:
                    return False
                self.end(run, Outcome.RESTARTED, "journeys.did.restarted")
        return True

    def _hold_out(self, live: Live, customer: int) -> bool:
        share = live.journey.holdout
        if share <= 0:
            return False
        experiment = f"journey:{live.name}"
        held = in_holdout(experiment, customer, share)
        self._arms.setdefault(experiment, {})[customer] = HOLDOUT if held else TREATED
        return held

    def end(self, run: Run, outcome: Outcome, code: str, **params: str) -> None:
        """End a run where it stands."""
        change = self.change(run)
        change.note(outcome.value, self._at, code, **params)
        change.end(outcome, self._at)

    def leave(self, run: Run, target: str, port: str, code: str, **params: str) -> None:
        """Send a run on from the step where it stands."""
        change = self.change(run)
        change.note(port, self._at, code, **params)
        change.move(target, self._at)

    def write(self) -> int:
        """Keep all of it; how many runs began, were woken or ended."""
        changes = list(self._changes.values())
        new = list(self._new.values())
        write_changes(
            self._store, self._tx, self._hands, changes, self._journeys, self._now, new=new
        )
        for experiment, arms in self._arms.items():
            log_arms(self._store.log, self._tx, experiment, list(arms.items()), self._now)
        return len(new) + len(changes)
