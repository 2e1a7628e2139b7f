"""Scoring: every known customer's stage, segment, churn risk and value, and what has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
import sqlalchemy as sa

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.errors import NotTrained
from lingxi.learning import Calibrator, load_model
from lingxi.lifecycle.changes import StageFacts, StoredStage, list_changes
from lingxi.lifecycle.churn import ChurnModel, name_level
from lingxi.lifecycle.concepts import CHURN_FEATURES
from lingxi.lifecycle.frames import Floats, Frame, read_frame
from lingxi.lifecycle.history import History, read_history
from lingxi.lifecycle.moment import find_data_moment, load_thresholds
from lingxi.lifecycle.reasons import explain_churn, group_contributions
from lingxi.lifecycle.rfm import score_rfm
from lingxi.lifecycle.stages import STAGES, Transitions, derive_transitions
from lingxi.lifecycle.tables import customer_state
from lingxi.lifecycle.thresholds import Thresholds, list_order_days
from lingxi.lifecycle.train import ChurnParts
from lingxi.lifecycle.value import ValueModel, expect_year, fit_value
from lingxi.store import Progress, Store, silent
from lingxi.store.keyed import upsert
from lingxi.store.tables import from_micros, to_micros

_EXPLAIN_ROWS = 20_000
Row = dict[str, object]


@dataclass(frozen=True)
class Scorers:
    """The models in use; ``churn`` and ``value`` are nothing where they could not be trained."""

    thresholds: Thresholds
    horizon_days: int
    churn: ChurnModel | None
    value: ValueModel | None


def load_scorers(store: Store, settings: Settings) -> Scorers:
    """Thresholds, churn model and value model in use.

    Raises
    ------
    NotTrained
        If the churn model reads features that this version does not compute.
    """
    thresholds = load_thresholds(store)
    artefact = store.artefacts.current("churn")
    if artefact is None:
        horizon_days = settings.learning.horizon_days or thresholds.horizon_days
        return Scorers(thresholds, horizon_days, None, None)
    parts = artefact.load_json("churn", ChurnParts)
    if parts.features != CHURN_FEATURES:
        raise NotTrained(
            "The churn model in use reads other features than this version computes."
            " Run 'lingxi train' to fit it again."
        )
    model = load_model(parts.learner, artefact)
    churn = ChurnModel(parts.learner, model, Calibrator.from_parts(parts.calibrator))
    found = store.artefacts.current("value")
    value = None if found is None else found.load_json("value", ValueModel)
    return Scorers(thresholds, parts.horizon_days, churn, value)


def score_customers(
    store: Store,
    settings: Settings,
    clock: Clock,
    as_of: datetime | None = None,
    progress: Progress = silent,
) -> int:
    """Write ``customer_state`` for every known customer and append what has changed to the log.

    Safe to repeat: the same moment gives the same rows, and an event already in the log is not
    appended again.

    Parameters
    ----------
    as_of
        The moment to look from; ``find_data_moment`` without it.

    Returns the number of customers scored.
    """
    moment = find_data_moment(store, clock) if as_of is None else as_of
    scorers = load_scorers(store, settings)
    with store.analytics() as analytics:
        history = read_history(analytics).as_of(to_micros(moment))
        progress("Scores", 1, 4)
        frame = read_frame(analytics, history, moment, scorers.horizon_days)
    progress("Scores", 2, 4)
    changes = derive_transitions(history, scorers.thresholds, to_micros(moment))
    facts = StageFacts(list_order_days(history), scorers.thresholds)
    rows = _place(history, changes, facts, scorers.horizon_days, moment)
    for customer, scores in _score_buyers(frame, scorers).items():
        rows[customer].update(scores)
    progress("Scores", 3, 4)
    events = list_changes(history, changes, facts, _read_stored(store), moment, clock.now())
    store.log.append(events)
    with store.write() as tx:
        tx.execute(sa.delete(customer_state))
        upsert(tx, customer_state, list(rows.values()))
    progress("Scores", 4, 4)
    return len(rows)


def _place(
    history: History, changes: Transitions, facts: StageFacts, horizon_days: int, moment: datetime
) -> dict[int, Row]:
    """A row for every known customer: the stage, since when and why; no scores yet."""
    rows: dict[int, Row] = {}
    empty: Row = dict.fromkeys(c.name for c in customer_state.columns)
    now_us = to_micros(moment)
    for last in np.flatnonzero(np.diff(changes.customer, append=-1)).tolist():
        customer = int(history.customers[changes.customer[last]])
        stage = STAGES[int(changes.after[last])]
        latest = _latest_order_day(changes, facts, last)
        reason = facts.describe_stage(stage, latest, now_us)
        rows[customer] = {
            **empty,
            "customer": customer,
            "stage": str(stage),
            "since": from_micros(int(changes.at_us[last])),
            "reason": msgspec.json.encode(reason).decode(),
            "horizon_days": horizon_days,
            "as_of": moment,
        }
    return rows


def _latest_order_day(changes: Transitions, facts: StageFacts, row: int) -> int:
    """The customer's latest order day: that of the change, or a later one that changed nothing."""
    at, days = int(changes.order_day[row]), facts.days
    if at < 0:
        return at
    person = changes.customer[row]
    while at + 1 < len(days.customer) and days.customer[at + 1] == person:
        at += 1
    return at


def _score_buyers(frame: Frame, scorers: Scorers) -> Mapping[int, Row]:
    """Segment, churn and value of every customer who has ordered."""
    if not len(frame.customers):
        return {}
    scores = score_rfm(
        frame.column("recency_days"), frame.column("frequency"), frame.column("money_cents")
    )
    churn = None if scorers.churn is None else scorers.churn.predict(frame.X)
    value_model = scorers.value or fit_value(frame, None, scorers.horizon_days)
    value = expect_year(value_model, frame, None if churn is None else 1 - churn)
    columns: dict[str, list[object]] = {
        "segment": list(scores.segments),
        "r": scores.recency.tolist(),
        "f": scores.frequency.tolist(),
        "m": scores.monetary.tolist(),
        "value_cents": np.rint(value).astype(np.int64).tolist(),
    }
    if scorers.churn is not None and churn is not None:
        columns["churn_probability"] = [round(p, 6) for p in churn.tolist()]
        columns["churn_level"] = [name_level(p) for p in churn.tolist()]
        columns["churn_model"] = [scorers.churn.name] * len(churn)
        columns["churn_reasons"] = _explain(scorers.churn, frame.X)
    names = list(columns)
    cells = zip(*columns.values(), strict=True)
    return {
        customer: dict(zip(names, row, strict=True))
        for customer, row in zip(frame.customers.tolist(), cells, strict=True)
    }


def _explain(churn: ChurnModel, X: Floats) -> list[object]:
    found: list[object] = []
    for start in range(0, len(X), _EXPLAIN_ROWS):
        rows = X[start : start + _EXPLAIN_ROWS]
        reasons = explain_churn(group_contributions(churn.model.explain(rows)), rows)
        found.extend(msgspec.json.encode(each).decode() for each in reasons)
    return found


def _read_stored(store: Store) -> dict[int, StoredStage]:
    columns = (customer_state.c.customer, customer_state.c.stage, customer_state.c.as_of)
    with store.read() as tx:
        rows = tx.execute(sa.select(*columns)).all()
    return {customer: StoredStage(stage, as_of) for customer, stage, as_of in rows}
