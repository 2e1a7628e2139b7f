"""Halting a journey and letting it go on; ending its runs."""

from datetime import datetime

import sqlalchemy as sa

from lingxi.journeys.book import Book
from lingxi.journeys.hands import Hands
from lingxi.journeys.run import Outcome, RunState
from lingxi.journeys.tables import run as runs
from lingxi.journeys.versions import set_paused
from lingxi.store import Store
from lingxi.store.tables import to_micros

_ACTIVE = (int(RunState.READY), int(RunState.WAITING))
_AT_ONCE = 100


def pause(tx: sa.Connection, name: str, *, actor: str, now: datetime) -> None:
    """No run of the journey begins, and none moves, until it is resumed.

    Raises
    ------
    UnknownJourney
        If there is none of this name.
    """
    set_paused(tx, name, paused=True, actor=actor, now=now)


def resume(tx: sa.Connection, name: str, *, actor: str, now: datetime) -> int:
    """Let a journey go on; how many runs stood still. Each step's own deadline holds as before.

    Raises
    ------
    UnknownJourney
        If there is none of this name.
    """
    set_paused(tx, name, paused=False, actor=actor, now=now)
    parked = (
        sa.update(runs)
        .where(runs.c.journey == name, runs.c.due_at.is_(None), runs.c.state.in_(_ACTIVE))
        .values(due_at=to_micros(now), epoch=runs.c.epoch + 1)
    )
    return tx.execute(parked).rowcount


def stop_runs(store: Store, hands: Hands, name: str, now: datetime) -> int:
    """End every run of a journey that is on its way, some at a time; how many.

    What they have queued and nobody has begun to send is taken back.
    """
    stopped = 0
    query = (
        sa.select(runs.c.customer)
        .where(runs.c.journey == name, runs.c.state.in_(_ACTIVE))
        .limit(_AT_ONCE)
    )
    while True:
        with store.write() as tx:
            customers = set(tx.execute(query).scalars())
            if not customers:
                return stopped
            book = Book(store, tx, hands, customers, now)
            for customer in customers:
                for run in book.list_active(customer):
                    if run.journey == name:
                        book.end(run, Outcome.STOPPED, "journeys.did.stopped")
                        stopped += 1
            book.write()
