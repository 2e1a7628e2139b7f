"""Runs of a shop's journeys, for all edges."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from lingxi.access import record_audit
from lingxi.app.cursors import decode_cursor, encode_cursor
from lingxi.app.runs.hands import make_hands
from lingxi.app.runs.views import (
    CampaignRow,
    CampaignsView,
    CountsView,
    RunRow,
    RunsView,
    RunView,
    StepCount,
    StepRow,
    Triggered,
)
from lingxi.app.shop import Shop
from lingxi.errors import InvalidInput
from lingxi.ingest import customer_ids, find_customer
from lingxi.journeys.control import stop_runs
from lingxi.journeys.entering import trigger_journey
from lingxi.journeys.run import HELD_OUT, STARTED, Run, RunState
from lingxi.journeys.runs import (
    count_waiting,
    get_run,
    list_runs,
    step_counts,
)
from lingxi.journeys.tables import occurrence
from lingxi.journeys.timetable import next_occasion
from lingxi.journeys.trigger import ScheduleTrigger
from lingxi.journeys.versions import get_journey, get_version, list_live
from lingxi.messaging.tables import message
from lingxi.store.tables import from_micros

STATES = tuple(state.name.lower() for state in RunState)


class RunDesk:
    """Answers about runs, and begins and ends them by hand."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def list(
        self,
        *,
        journey: str | None = None,
        customer_id: str | None = None,
        state: str | None = None,
        cursor: str | None = None,
        n: int = 50,
    ) -> RunsView:
        """A page of runs, newest first.

        Raises
        ------
        InvalidInput, UnknownCustomer, UnknownJourney
            If there is no such state, customer or journey.
        """
        if state is not None and state not in STATES:
            raise InvalidInput(f"state is one of {', '.join(STATES)}, not {state[:40]!r}.")
        before = None if cursor is None else int(decode_cursor(cursor, 1)[0] or 0)
        with self._shop.store.read() as tx:
            if journey is not None:
                get_journey(tx, journey)
            customer = None if customer_id is None else find_customer(tx, customer_id)
            found = list_runs(
                tx,
                journey=journey,
                customer=customer,
                state=None if state is None else RunState[state.upper()],
                before=before,
                n=n + 1,
            )
            rows = _to_rows(tx, found[:n])
        more = len(found) > n
        return RunsView(rows, encode_cursor([found[n - 1].id]) if more else None)

    def get(self, number: int) -> RunView:
        """One run with what it did and why.

        Raises
        ------
        UnknownRun
            If there is none.
        """
        with self._shop.store.read() as tx:
            run = get_run(tx, number)
            (row,) = _to_rows(tx, [run])
            c = message.c
            query = sa.select(c.id, c.node, c.state, c.reason).where(
                c.journey == run.journey, c.run == str(run.id)
            )
            sent = {found.node: found for found in tx.execute(query)}
        steps = []
        for each in run.steps:
            own = sent.get(each.node) if each.code == "journeys.did.queued" else None
            found = (None, None, None) if own is None else (own.id, own.state, own.reason)
            at = from_micros(each.at)
            steps.append(StepRow(at, each.node, each.port, each.sentence, *found))
        return RunView(row, steps)

    def count(self, name: str, version: int | None = None) -> CountsView:
        """A journey in numbers: the version named, else the one that is published.

        Raises
        ------
        UnknownJourney
            If there is none, or no such version.
        """
        with self._shop.store.read() as tx:
            number = get_journey(tx, name).published if version is None else version
            counts = step_counts(tx, name, number)
            journey = get_version(tx, name, number)
        here = count_waiting(journey, counts)
        steps = [
            StepCount(
                step_id, here[step_id], {p: n for (s, p), n in counts.items() if s == step_id}
            )
            for step_id in journey.steps
        ]
        begun, held = counts.get(("", STARTED), 0), counts.get(("", HELD_OUT), 0)
        return CountsView(name, number, begun, held, steps)

    def trigger(self, name: str, customer_id: str, *, key: str = "", actor: str) -> Triggered:
        """Begin a run for a customer.

        Raises
        ------
        InvalidInput, UnknownCustomer
            If the journey cannot be begun this way, or there is no such customer.
        """
        shop, now = self._shop, self._shop.clock.now()
        with shop.store.read() as tx:
            customer = find_customer(tx, customer_id)
        hands = make_hands(shop)
        context = {"by": actor[:200]}
        begun = trigger_journey(shop.store, hands, name, customer, now, key=key, context=context)
        return Triggered(name, customer_id, begun)

    def stop(self, name: str, *, actor: str) -> int:
        """End every run of a journey that is on its way; how many.

        Raises
        ------
        UnknownJourney
            If there is none.
        """
        shop, now = self._shop, self._shop.clock.now()
        with shop.store.read() as tx:
            get_journey(tx, name)
        stopped = stop_runs(shop.store, make_hands(shop), name, now)
        with shop.store.write() as tx:
            record_audit(tx, now, actor=actor, action="journey.stop", target=name)
        return stopped

    def campaigns(self) -> CampaignsView:
        """Journeys that a schedule begins, the next first."""
        now, zone = self._shop.clock.now(), self._shop.settings.zone
        with self._shop.store.read() as tx:
            live = [e for e in list_live(tx) if isinstance(e.journey.trigger, ScheduleTrigger)]
            rows = [self._to_campaign(tx, e.name, e.version, e.journey.trigger, now) for e in live]
        far = datetime.max.replace(tzinfo=zone)
        return CampaignsView(sorted(rows, key=lambda row: (row.next_at or far, row.name)))

    def _to_campaign(
        self, tx: sa.Connection, name: str, version: int, trigger: object, now: datetime
    ) -> CampaignRow:
        assert isinstance(trigger, ScheduleTrigger)
        c = occurrence.c
        query = sa.select(c.at, c.entered, c.done_at).where(c.journey == name)
        last = tx.execute(query.order_by(c.at.desc()).limit(1)).first()
        held = (None, 0, False) if last is None else (last.at, last.entered, bool(last.done_at))
        coming = next_occasion(trigger, self._shop.settings.zone, now)
        return CampaignRow(name, version, coming, *held)


def _to_rows(tx: sa.Connection, found: Sequence[Run]) -> list[RunRow]:
    names = customer_ids(tx, {run.customer for run in found})
    return [
        RunRow(
            id=run.id,
            journey=run.journey,
            version=run.version,
            customer_id=names.get(run.customer, ""),
            key=run.key,
            state=run.state.name.lower(),
            step=run.node,
            started_at=from_micros(run.started_at),
            due_at=None if run.due_at is None else from_micros(run.due_at),
            ended_at=None if run.ended_at is None else from_micros(run.ended_at),
            outcome=run.outcome or "",
        )
        for run in found
    ]
