"""Writes prepared changes: whose epoch is no longer the one that was read is left out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from lingxi.experiments.exposure import log_arms
from lingxi.ingest.sealed import TraitValue, put_traits
from lingxi.journeys.change import AddToList, Change, IssueCoupon, NoteArm, SetTrait
from lingxi.journeys.graph import Journey
from lingxi.journeys.hands import Hands
from lingxi.journeys.lead import settle_coupon
from lingxi.journeys.run import FIELDS, HELD_OUT, STARTED, Outcome, Run, write_context
from lingxi.journeys.tables import run as runs
from lingxi.journeys.tables import step_count
from lingxi.messaging import cancel_messages, queue_messages
from lingxi.schema import Event, Name, Scalar
from lingxi.store import Store
from lingxi.store.adding import Columns, add_rows
from lingxi.store.keyed import execute_many, fetch_by_keys
from lingxi.store.tables import to_micros

SOURCE = "journeys"
_CUT_SHORT = (
    Outcome.GOAL.value,
    Outcome.EXIT.value,
    Outcome.MERGED.value,
    Outcome.RESTARTED.value,
    Outcome.STOPPED.value,
)
_INSERT = sa.insert(runs)
_UPDATE = (
    sa.update(runs)
    .where(runs.c.id == sa.bindparam("b_id"), runs.c.epoch == sa.bindparam("b_epoch"))
    .values(
        {
            name: sa.bindparam(name)
            for name in (
                "node",
                "epoch",
                "state",
                "due_at",
                "entered_at",
                "ended_at",
                "outcome",
                "context",
                "path",
            )
        }
    )
)


def keep_current(
    tx: sa.Connection, changes: Sequence[Change], lanes: frozenset[int] | None = None
) -> list[Change]:
    """Those whose run is still as it was read; with ``lanes``, and whose lane is one of them."""
    wanted = [c for c in changes if lanes is None or c.run.lane in lanes]
    columns = [runs.c.id]
    found = fetch_by_keys(tx, columns, [(c.run.id,) for c in wanted], [runs.c.id, runs.c.epoch])
    epochs = {int(row[0]): int(row[1]) for row in found}
    return [c for c in wanted if epochs.get(c.run.id) == c.run.epoch]


def write_changes(
    store: Store,
    tx: sa.Connection,
    hands: Hands,
    changes: Sequence[Change],
    journeys: Mapping[tuple[str, int], Journey],
    now: datetime,
    *,
    new: Sequence[Run] = (),
) -> None:
    """Keep changes that ``keep_current`` has let through, with all that they ask for.

    ``new`` are runs that begin; one that is also changed is kept as it is changed to.
    """
    if not changes and not new:
        return
    _act(store, tx, hands, changes, journeys, now)
    fresh = {run.id for run in new}
    if new:
        later = {change.run.id: change.row for change in changes if change.run.id in fresh}
        rows = [_to_row(run, later.get(run.id, {})) for run in new]
        execute_many(tx, _INSERT, rows)
    rows = [change.row for change in changes if change.run.id not in fresh]
    if rows:
        execute_many(tx, _UPDATE, rows)
    messages = [message for change in changes for message in change.messages]
    if messages:
        queue_messages(store, tx, messages)
    _count(tx, changes, new)
    ended = [change for change in changes if change.outcome is not None]
    cut = [(c.run.journey, str(c.run.id)) for c in ended if c.outcome in _CUT_SHORT]
    if cut:
        cancel_messages(store, tx, cut, now)
    events = [start_event(run, now) for run in new] + [end_event(c, now) for c in ended]
    if events:
        store.log.append(events, tx=tx)


def _to_row(run: Run, change: Mapping[str, object]) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(run, name) for name in FIELDS}
    row["state"] = int(run.state)
    row["context"] = write_context(run.context)
    row.update({name: value for name, value in change.items() if name in row})
    return row


def _act(
    store: Store,
    tx: sa.Connection,
    hands: Hands,
    changes: Sequence[Change],
    journeys: Mapping[tuple[str, int], Journey],
    now: datetime,
) -> None:
    """Do what steps ask for; traits and arms of all runs at once."""
    traits: list[TraitValue] = []
    arms: dict[str, list[tuple[int, str]]] = {}
    for change in changes:
        run = change.run
        for act in change.acts:
            match act:
                case SetTrait(name, value):
                    text = None if value is None else str(value)
                    traits.append(TraitValue(run.subject, name, text, now))
                case AddToList(name):
                    hands.join(tx, name, run.customer, now)
                case NoteArm(experiment, arm):
                    arms.setdefault(experiment, []).append((run.customer, arm))
                case IssueCoupon(_, offer, key):
                    code = hands.issue(tx, offer, run.customer, key, now)
                    settle_coupon(change, journeys[run.journey, run.version], code, to_micros(now))
    if traits:
        put_traits(store, tx, traits)
    for experiment, assigned in arms.items():
        log_arms(store.log, tx, experiment, assigned, now)


def _count(tx: sa.Connection, changes: Iterable[Change], new: Iterable[Run]) -> None:
    counts = Counter(
        (change.run.journey, change.run.version, each.node, each.port)
        for change in changes
        for each in change.passed
        if each.port
    )
    for run in new:
        port = HELD_OUT if run.outcome == Outcome.HELD_OUT else STARTED
        counts[run.journey, run.version, "", port] += 1
    if counts:
        add_rows(tx, step_count, _add, [(*key, n) for key, n in sorted(counts.items())])


def _add(old: Columns, new: Columns) -> Columns:
    return {"n": old["n"] + new["n"]}


def start_event(run: Run, now: datetime) -> Event:
    """That a run began, or that its customer qualified and was held out."""
    said: dict[str, Scalar] = {"held_out": True} if run.outcome == Outcome.HELD_OUT else {}
    return _event(Name.JOURNEY_STARTED, run, "started", now, said)


def end_event(change: Change, now: datetime) -> Event:
    """That a run ended, and how."""
    said: dict[str, Scalar] = {"outcome": change.outcome, "node": change.node}
    return _event(Name.JOURNEY_ENDED, change.run, "ended", now, said)


def _event(name: Name, run: Run, verb: str, now: datetime, said: Mapping[str, Scalar]) -> Event:
    properties: dict[str, Scalar] = {
        "journey": run.journey,
        "version": run.version,
        "run": str(run.id),
        **said,
    }
    return Event(
        event_id=f"journey:{run.id}:{verb}",
        name=name.value,
        occurred_at=now,
        received_at=now,
        subject=run.subject,
        properties=properties,
        source=SOURCE,
    )
