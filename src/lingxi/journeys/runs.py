"""Runs as people look at them: lists, one run's history, and counts per step."""

from collections import Counter
from collections.abc import Mapping

import sqlalchemy as sa

from lingxi.errors import UnknownRun
from lingxi.journeys.graph import Journey
from lingxi.journeys.run import FIELDS, STARTED, Run, RunState, read_run
from lingxi.journeys.tables import run as runs
from lingxi.journeys.tables import step_count

_COLUMNS = [runs.c[name] for name in FIELDS]
Counts = Mapping[tuple[str, str], int]


def get_run(tx: sa.Connection, number: int) -> Run:
    """One run.

    Raises
    ------
    UnknownRun
        If there is none of this number.
    """
    row = tx.execute(sa.select(*_COLUMNS).where(runs.c.id == number)).first()
    if row is None:
        raise UnknownRun(f"There is no run {number}. 'lingxi run list' shows the latest.")
    return read_run(tuple(row))


def list_runs(
    tx: sa.Connection,
    *,
    journey: str | None = None,
    customer: int | None = None,
    state: RunState | None = None,
    before: int | None = None,
    n: int = 50,
) -> list[Run]:
    """The latest runs, newest first; ``before`` is the last id of the page before."""
    query = sa.select(*_COLUMNS).order_by(runs.c.id.desc()).limit(n)
    if journey is not None:
        query = query.where(runs.c.journey == journey)
    if customer is not None:
        query = query.where(runs.c.customer == customer)
    if state is not None:
        query = query.where(runs.c.state == int(state))
    if before is not None:
        query = query.where(runs.c.id < before)
    return [read_run(tuple(row)) for row in tx.execute(query)]


def step_counts(tx: sa.Connection, name: str, version: int | None = None) -> Counts:
    """How many runs left each step by each of its ways, ``(step, way)``; of all versions, or one.

    The beginning is the step without a name, with the ways ``started`` and ``held_out``.
    """
    c = step_count.c
    query = sa.select(c.node, c.port, sa.func.sum(c.n)).where(c.journey == name)
    if version is not None:
        query = query.where(c.version == version)
    rows = tx.execute(query.group_by(c.node, c.port))
    return {(node, port): int(n) for node, port, n in rows}


def count_waiting(journey: Journey, counts: Counts) -> dict[str, int]:
    """How many runs are at each step now: who came, less who left.

    No run is read: a million that sleep cost nothing to count.
    """
    here: Counter[str] = Counter({journey.start: counts.get(("", STARTED), 0)})
    for step_id in journey.steps:
        for edge in journey.edges(step_id):
            here[edge.target] += counts.get((step_id, edge.port), 0)
    for (step_id, _port), n in counts.items():
        here[step_id] -= n
    return {step_id: here[step_id] for step_id in journey.steps}
