"""Training: thresholds of the stages, the churn model, the value model."""

from collections.abc import Sequence

import msgspec

from lingxi.clock import Clock
from lingxi.config import Settings
from lingxi.i18n import Sentence
from lingxi.learning.calibration import CalibratorParts
from lingxi.lifecycle.churn import (
    Choice,
    ChurnModel,
    choose_learner,
    fit_all,
    fit_calibrated,
)
from lingxi.lifecycle.concepts import CHURN_FEATURES
from lingxi.lifecycle.frames import Floats, Frame, observe_outcome
from lingxi.lifecycle.history import DAY_US, History, read_history
from lingxi.lifecycle.lesson import Lesson, read_lesson
from lingxi.lifecycle.measure import list_candidates, list_value_candidates
from lingxi.lifecycle.thresholds import Thresholds, learn_thresholds
from lingxi.lifecycle.value import ValueModel, expect_revenue, fit_value, measure_retention
from lingxi.store import CandidateRecord, Manifest, Progress, Store, silent
from lingxi.store.tables import from_micros, to_micros

_STEPS = 5


class ChurnParts(msgspec.Struct, frozen=True):
    """What stands beside the model's own parts."""

    learner: str
    features: tuple[str, ...]
    horizon_days: int
    calibrator: CalibratorParts


def train_lifecycle(
    store: Store, settings: Settings, clock: Clock, progress: Progress = silent
) -> Manifest:
    """Learn the thresholds of the stages and the horizon from the gaps between orders.

    Never fails for want of data: with fewer than 50 gaps the stated defaults are kept, and the
    manifest says so.
    """
    position = store.log.position()
    with store.analytics() as analytics:
        history = read_history(analytics).as_of(to_micros(clock.now()))
    found = learn_thresholds(history, horizon_days=settings.learning.horizon_days)
    code = "lifecycle.thresholds.learned" if found.learned else "lifecycle.thresholds.defaults"
    span = history.span_us() if len(history.order_us) else None
    with store.artefacts.write("lifecycle") as writer:
        writer.save_json("thresholds", found)
        writer.manifest = Manifest(
            chosen="learned" if found.learned else "defaults",
            why=Sentence(code, {"n": found.gaps}),
            data_from=from_micros(span[0]) if span else None,
            data_to=from_micros(span[1]) if span else None,
            events=position,
            extra=msgspec.to_builtins(found),
        )
    progress("Stages", 1, 1)
    return _finish(store, settings, "lifecycle")


def train_churn(
    store: Store, settings: Settings, clock: Clock, progress: Progress = silent
) -> Manifest:
    """Compare the learners on past moments, keep the one chosen, and the value model with it.

    Raises
    ------
    NotEnoughData
        If the history is too short, too small or one-sided; the message says how much is needed.
    """
    position, seed = store.log.position(), settings.learning.seed
    with store.analytics() as analytics:
        history = read_history(analytics).as_of(to_micros(clock.now()))
        horizon_days = _find_horizon(store, history, settings)
        lesson = read_lesson(analytics, history, horizon_days, seed, progress)
    plan = lesson.plan
    base = Manifest(
        data_from=from_micros(history.span_us()[0]),
        data_to=from_micros(history.last_us),
        cutoffs=plan.serving,
        events=position,
        extra={"horizon_days": horizon_days, "test_cutoff": plan.test.isoformat()},
    )
    choice = choose_learner(lesson.list_frames(plan.validation_train), lesson.validation, seed)
    progress("Churn", 1, _STEPS)
    test, train = lesson.frames[plan.test], lesson.list_frames(plan.train)
    fitted = fit_all(train, test, seed)
    progress("Churn", 2, _STEPS)
    tested, held_out = fit_calibrated(choice.name, train, seed)
    calibrated = tested.predict(test.X)
    progress("Churn", 3, _STEPS)
    serving = lesson.list_frames(plan.serving)
    served, held_out_at_test = fit_calibrated(choice.name, serving, seed)
    progress("Churn", 4, _STEPS)
    records = _test_value(train[-1], held_out, test, calibrated, horizon_days)
    _keep_value(store, base, _fit_value(lesson, serving[-1], held_out_at_test), records)
    _keep_churn(store, base, choice, served, list_candidates(choice, fitted, calibrated, test))
    progress("Churn", _STEPS, _STEPS)
    _finish(store, settings, "value")
    return _finish(store, settings, "churn")


def _find_horizon(store: Store, history: History, settings: Settings) -> int:
    """The shop's wish, what ``train_lifecycle`` learned, or what the history says now."""
    if settings.learning.horizon_days:
        return settings.learning.horizon_days
    artefact = store.artefacts.current("lifecycle")
    if artefact is None:
        return learn_thresholds(history).horizon_days
    return artefact.load_json("thresholds", Thresholds).horizon_days


def _test_value(
    before: Frame, churn_before: Floats, test: Frame, churn: Floats, horizon_days: int
) -> tuple[CandidateRecord, ...]:
    """The value model as it stood before the test moment, judged on what followed that."""
    model = fit_value(before, 1 - churn_before, horizon_days)
    expected = expect_revenue(model, test, 1 - churn)
    share = horizon_days / 365
    last_year = test.column("revenue_365d_cents") * share
    rate = test.column("money_cents") / (test.column("tenure_days") + 1) * horizon_days
    rules = {"last_year_spend": last_year, "spend_rate": rate}
    return list_value_candidates(expected, rules, test.revenue_cents)


def _fit_value(lesson: Lesson, latest: Frame, churn: Floats) -> ValueModel:
    """The value model put to use: level of the latest closed window, retention between two."""
    plan = lesson.plan
    model = fit_value(latest, 1 - churn, plan.horizon_days)
    earlier = lesson.frames[plan.train[-1]]
    start_us = to_micros(plan.test)
    end_us = start_us + plan.horizon_days * DAY_US
    _, after = observe_outcome(lesson.history, earlier.customers, start_us, end_us)
    retention = measure_retention(earlier.revenue_cents, after)
    return msgspec.structs.replace(model, retention=retention)


def _keep_value(
    store: Store, base: Manifest, model: ValueModel, records: Sequence[CandidateRecord]
) -> None:
    with store.artefacts.write("value") as writer:
        writer.save_json("value", model)
        writer.manifest = msgspec.structs.replace(
            base,
            chosen="expected_revenue",
            why=Sentence("lifecycle.value.why", {"n": model.horizon_days}),
            candidates=tuple(records),
            extra={**base.extra, **msgspec.to_builtins(model)},
        )


def _keep_churn(
    store: Store,
    base: Manifest,
    choice: Choice,
    served: ChurnModel,
    records: Sequence[CandidateRecord],
) -> None:
    parts = ChurnParts(
        choice.name, CHURN_FEATURES, int(str(base.extra["horizon_days"])), served.calibrator.parts()
    )
    with store.artefacts.write("churn") as writer:
        served.model.save(writer)
        writer.save_json("churn", parts)
        code = "lifecycle.churn.chosen" if choice.aucs else "lifecycle.churn.unvalidated"
        writer.manifest = msgspec.structs.replace(
            base,
            chosen=choice.name,
            why=Sentence(code, {"name": choice.name}),
            candidates=tuple(records),
            extra={**base.extra, "calibration": served.calibrator.method},
        )


def _finish(store: Store, settings: Settings, kind: str) -> Manifest:
    store.artefacts.prune(kind, settings.learning.keep_versions)
    return store.artefacts.list(kind)[0]
