"""Runs follow their person: after a merge of customers, and after it is undone."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from lingxi.journeys.change import Change
from lingxi.journeys.graph import Journey
from lingxi.journeys.hands import Hands
from lingxi.journeys.keep import write_changes
from lingxi.journeys.run import FIELDS, Outcome, Run, RunState, read_run
from lingxi.journeys.tables import run as runs
from lingxi.journeys.versions import get_version
from lingxi.schema import Event
from lingxi.store import Store
from lingxi.store.keyed import fetch_by_keys
from lingxi.store.projection import find_customers
from lingxi.store.tables import identity, to_micros

_ACTIVE = (RunState.READY, RunState.WAITING)


def follow_people(
    store: Store, tx: sa.Connection, hands: Hands, events: Sequence[Event], now: datetime
) -> None:
    """Give runs to the customers whose surrogates began them, as the events of merges say.

    Where two runs of one journey and key come together, the one that began first stays, and the
    other ends.
    """
    subjects = {event.subject for event in events if event.subject is not None}
    named = {
        int(value)
        for event in events
        for name in ("kept", "merged", "customer")
        if isinstance(value := event.properties.get(name), int)
    }
    people = set(find_customers(tx, subjects | named).values()) | named
    own = sa.select(identity.c.subject).where(identity.c.customer.in_(sorted(people)))
    touched = set(tx.execute(own).scalars()) | people
    found = fetch_by_keys(
        tx,
        [runs.c.subject],
        [(subject,) for subject in touched],
        [runs.c.id, runs.c.subject, runs.c.customer],
    )
    owners = find_customers(tx, {row[1] for row in found})
    moved = [(number, owners[subject]) for number, subject, old in found if owners[subject] != old]
    if not moved:
        return
    update = (
        sa.update(runs)
        .where(runs.c.id == sa.bindparam("b_id"))
        .values(customer=sa.bindparam("owner"), epoch=runs.c.epoch + 1)
    )
    tx.execute(update, [{"b_id": number, "owner": owner} for number, owner in moved])
    _end_doubles(store, tx, hands, {owner for _, owner in moved}, now)


def _end_doubles(
    store: Store, tx: sa.Connection, hands: Hands, customers: set[int], now: datetime
) -> None:
    query = (
        sa.select(*(runs.c[name] for name in FIELDS))
        .where(runs.c.customer.in_(sorted(customers)), runs.c.state.in_([int(s) for s in _ACTIVE]))
        .order_by(runs.c.started_at, runs.c.id)
    )
    first: dict[tuple[int, str, str], Run] = {}
    changes: list[Change] = []
    journeys: dict[tuple[str, int], Journey] = {}
    for row in tx.execute(query):
        run = read_run(tuple(row))
        place = run.customer, run.journey, run.key
        if place not in first:
            first[place] = run
            continue
        change = Change.of(run)
        change.note("merged", to_micros(now), "journeys.did.merged", run=first[place].id)
        change.end(Outcome.MERGED, to_micros(now))
        journeys[run.journey, run.version] = get_version(tx, run.journey, run.version)
        changes.append(change)
    write_changes(store, tx, hands, changes, journeys, now)
