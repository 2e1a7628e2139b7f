"""Scores that cross a level: who is beyond it now and was not when we last looked."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from lingxi.journeys.hands import Hands
from lingxi.journeys.occasions import Guest, Occasion
from lingxi.journeys.tables import mark, occurrence
from lingxi.journeys.trigger import ChurnTrigger, Crossing, ScoreTrigger
from lingxi.journeys.versions import Live
from lingxi.store import Store
from lingxi.store.keyed import insert_or_ignore

_CHURN = "churn_probability"
_PART = 500


def level_occasion(store: Store, hands: Hands, live: Live, now: datetime) -> Occasion:
    """The look of this hour."""
    slot = now.strftime("%Y-%m-%dT%H")
    at = now.replace(minute=0, second=0, microsecond=0)
    guests = partial(_list_crossed, store, hands, live, now)
    return Occasion(live, slot, at, guests, partial(_note_marks, live.name))


def write_level(trigger: ChurnTrigger | ScoreTrigger) -> dict[str, Any]:
    """The rule of those beyond the level, in the form of segments.

    >>> write_level(ChurnTrigger(least_risk=0.7))
    {'score': 'churn_probability', 'at_least': 0.7}
    """
    if isinstance(trigger, ChurnTrigger):
        return {"score": _CHURN, "at_least": trigger.least_risk}
    test = "at_least" if trigger.crosses is Crossing.ABOVE else "less_than"
    return {"score": trigger.score, test: trigger.level}


def _list_crossed(store: Store, hands: Hands, live: Live, now: datetime) -> Sequence[Guest]:
    """Who has come to be beyond the level. The first look only notes who is: nobody crossed."""
    trigger = live.journey.trigger
    assert isinstance(trigger, ChurnTrigger | ScoreTrigger)
    beyond = set(hands.members(hands.read_rule(write_level(trigger)), now))
    with store.read() as tx:
        own = sa.select(mark.c.customer).where(mark.c.journey == live.name)
        before = set(tx.execute(own).scalars())
        looks = sa.select(occurrence.c.slot).where(occurrence.c.journey == live.name).limit(1)
        first = tx.execute(looks).first() is None and not before
    gone, come = sorted(before - beyond), sorted(beyond - before)
    _drop_marks(store, live.name, gone)
    if not first:
        return [Guest(customer=customer) for customer in come]
    for start in range(0, len(come), _PART):
        with store.write() as tx:
            _add_marks(tx, live.name, come[start : start + _PART])
    return []


def _note_marks(journey: str, tx: sa.Connection, guests: Sequence[Guest]) -> None:
    _add_marks(tx, journey, [guest.customer for guest in guests])


def _add_marks(tx: sa.Connection, journey: str, customers: Sequence[int]) -> None:
    rows = [{"journey": journey, "customer": customer} for customer in customers]
    if rows:
        tx.execute(insert_or_ignore(tx, mark), rows)


def _drop_marks(store: Store, journey: str, customers: Sequence[int]) -> None:
    for start in range(0, len(customers), _PART):
        part = list(customers[start : start + _PART])
        with store.write() as tx:
            own = (mark.c.journey == journey) & mark.c.customer.in_(part)
            tx.execute(sa.delete(mark).where(own))
