"""Sentences about stages, and changes of stage as events for the log."""

from datetime import datetime

import msgspec
import numpy as np

from lingxi.i18n import Sentence
from lingxi.lifecycle.history import DAY_US, History
from lingxi.lifecycle.stages import NOWHERE, STAGES, Stage, Transitions
from lingxi.lifecycle.thresholds import OrderDays, Thresholds, count_runs, usual_gaps
from lingxi.schema import Event, Name
from lingxi.store.tables import from_micros, to_micros

SOURCE = "lifecycle"
_LATE = (Stage.AT_RISK, Stage.LAPSED, Stage.LOST)


class StageFacts:
    """What the sentences about stages tell, computed once for all order days."""

    def __init__(self, days: OrderDays, thresholds: Thresholds) -> None:
        self.days = days
        self.usual = usual_gaps(days, thresholds)
        _, self.run = count_runs(days, thresholds)
        self._ratios = {
            Stage.AT_RISK: thresholds.at_risk_ratio,
            Stage.LAPSED: thresholds.lapsed_ratio,
            Stage.LOST: thresholds.lost_ratio,
        }

    def describe_stage(self, stage: Stage, order_day: int, now_us: int) -> Sentence:
        """Why a customer is in a stage now; ``order_day`` is their latest, -1 before the first."""
        code = f"lifecycle.stage.{stage}"
        if order_day < 0:
            return Sentence(code)
        n = int((now_us - int(self.days.at_us[order_day])) // DAY_US)
        if stage in _LATE:
            usual = float(self.usual[order_day])
            limit = usual * self._ratios[stage]
            return Sentence(code, {"n": n, "gap_days": _days(usual), "limit_days": _days(limit)})
        if stage == Stage.WON_BACK:
            return Sentence(code, {"n": n, "away_days": _days(self.days.gap_days[order_day])})
        if stage == Stage.NEW:
            return Sentence(code, {"n": n})
        return Sentence(code, {"n": n, "orders": int(self.run[order_day])})

    def describe_change(self, stage: Stage, order_day: int, at_us: int) -> Sentence:
        """What brought a customer into a stage, told at that moment."""
        code = f"lifecycle.change.{stage}"
        if stage in _LATE:
            return Sentence(code, {"n": int((at_us - int(self.days.at_us[order_day])) // DAY_US)})
        if stage in (Stage.ACTIVE, Stage.WON_BACK):
            return Sentence(code, {"n": _days(self.days.gap_days[order_day])})
        if stage == Stage.LOYAL:
            return Sentence(code, {"n": int(self.run[order_day])})
        return Sentence(code)


def make_event(
    customer: int, before: str, after: str, at_us: int, reason: Sentence, received_at: datetime
) -> Event:
    """A change of stage for the log; the same change always has the same ``event_id``.

    >>> from datetime import UTC
    >>> moment = datetime(2026, 1, 1, tzinfo=UTC)
    >>> make_event(7, "new", "active", 0, Sentence("x"), moment).event_id
    'stage-7-0-new-active'
    """
    return Event(
        event_id=f"stage-{customer}-{at_us}-{before}-{after}",
        name=Name.STAGE_CHANGED,
        occurred_at=from_micros(at_us),
        received_at=received_at,
        subject=customer,
        properties={
            "from": before,
            "to": after,
            "reason": msgspec.json.encode(reason).decode(),
        },
        source=SOURCE,
    )


class StoredStage(msgspec.Struct, frozen=True):
    """A customer's stage as it was written at the last scoring."""

    stage: str
    as_of: datetime


def list_changes(
    history: History,
    changes: Transitions,
    facts: StageFacts,
    stored: dict[int, StoredStage],
    as_of: datetime,
    received_at: datetime,
) -> list[Event]:
    """Events for what has changed since the last scoring, each at the moment it took effect.

    For a customer scored for the first time it is the change that led to the present stage. Where
    the stage that was written does not follow from today's history and thresholds (an order came
    late or was cancelled, the thresholds were learned anew), the correction is one event at
    ``as_of``.
    """
    events: list[Event] = []
    firsts = np.flatnonzero(np.diff(changes.customer, prepend=-1))
    ends = np.append(firsts, len(changes.customer))[1:]
    at_us, after = changes.at_us.tolist(), changes.after.tolist()
    before, order_day = changes.before.tolist(), changes.order_day.tolist()
    for first, end in zip(firsts.tolist(), ends.tolist(), strict=True):
        customer = int(history.customers[changes.customer[first]])
        last = stored.get(customer)
        rows = [end - 1] if last is None else _rows_since(at_us, first, end, last.as_of)
        known = after[rows[0] - 1] if rows and rows[0] > first else after[end - 1]
        if last is not None and (rows[:1] == [first] or STAGES[known] != last.stage):
            if last.stage != STAGES[after[end - 1]]:
                present = str(STAGES[after[end - 1]])
                events.append(_correct(customer, last.stage, present, as_of, received_at))
            continue
        for row in rows:
            if before[row] == NOWHERE:
                continue
            old, new = str(STAGES[before[row]]), STAGES[after[row]]
            reason = facts.describe_change(new, order_day[row], at_us[row])
            events.append(make_event(customer, old, str(new), at_us[row], reason, received_at))
    return events


def _rows_since(at_us: list[int], first: int, end: int, moment: datetime) -> list[int]:
    since_us = to_micros(moment)
    return [row for row in range(first, end) if at_us[row] > since_us]


def _correct(customer: int, old: str, new: str, as_of: datetime, received_at: datetime) -> Event:
    reason = Sentence("lifecycle.change.corrected")
    return make_event(customer, old, new, to_micros(as_of), reason, received_at)


def _days(value: float) -> int:
    return max(1, round(float(value)))
