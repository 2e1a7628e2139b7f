"""What the manifest says of churn models and of the rules beside them."""

from collections.abc import Mapping

import numpy as np

from lingxi.lifecycle.churn import Choice, Fitted
from lingxi.lifecycle.frames import Floats, Frame
from lingxi.lifecycle.value import measure_value
from lingxi.stats.bootstrap import Interval
from lingxi.stats.calibration import calibration_error
from lingxi.stats.classification import (
    area_under_curve,
    auc_difference,
    average_precision,
    brier_score,
    log_loss,
    precision_at_share,
)
from lingxi.store import CandidateRecord, MeasureRecord


def list_candidates(
    choice: Choice, fitted: Mapping[str, Fitted], calibrated: Floats, test: Frame
) -> tuple[CandidateRecord, ...]:
    """Every learner and every rule, all on the same customers at the test moment.

    ``calibrated`` are the chosen model's probabilities after calibration.
    """
    rules = _score_rules(test)
    models = []
    for name, each in fitted.items():
        chosen = name == choice.name
        scores = calibrated if chosen else each.probabilities
        measures = [
            *measure_ranking(test, scores),
            *_measure_probability(test, scores),
        ]
        if chosen:
            before = brier_score(test.churned, each.probabilities)
            measures.append(MeasureRecord("brier_before_calibration", before))
        if name in choice.aucs:
            measures.append(_record("validation_auc", choice.aucs[name]))
        gain = auc_difference(test.churned, scores, rules["rfm_sum"])
        measures.append(_record("auc_over_rfm_sum", gain))
        models.append(
            CandidateRecord(
                name=name, chosen=chosen, measures=tuple(measures), fit_seconds=each.seconds
            )
        )
    baselines = [
        CandidateRecord(name=name, baseline=True, measures=measure_ranking(test, scores))
        for name, scores in rules.items()
    ]
    return (*models, *baselines)


def measure_ranking(frame: Frame, scores: Floats) -> tuple[MeasureRecord, ...]:
    """How well scores put those who leave first.

    ``auc_in_time`` counts only customers whose last order is at most two horizons ago: to know
    that somebody silent for a year will stay silent is no warning.
    """
    y = frame.churned
    found = [
        _record("auc", area_under_curve(y, scores)),
        MeasureRecord("average_precision", average_precision(y, scores)),
        MeasureRecord("precision_at_10", precision_at_share(y, scores, 0.1)),
        MeasureRecord("precision_at_20", precision_at_share(y, scores, 0.2)),
        MeasureRecord("base_rate", float(y.mean())),
    ]
    timely = frame.column("recency_days") <= 2 * frame.horizon_days
    if 2 <= int(y[timely].sum()) <= int(timely.sum()) - 2:
        found.insert(1, _record("auc_in_time", area_under_curve(y[timely], scores[timely])))
    return tuple(found)


def _measure_probability(frame: Frame, probabilities: Floats) -> tuple[MeasureRecord, ...]:
    y = frame.churned
    return (
        MeasureRecord("brier", brier_score(y, probabilities)),
        MeasureRecord("log_loss", log_loss(y, probabilities)),
        MeasureRecord("calibration_error", calibration_error(y, probabilities)),
        MeasureRecord("mean_probability", float(probabilities.mean())),
    )


def _score_rules(frame: Frame) -> dict[str, Floats]:
    """Rules without learning, higher is likelier to leave."""
    return {
        "rfm_sum": -frame.rfm_sum(),
        "recency": np.asarray(frame.column("recency_days")),
        "frequency": -frame.column("frequency"),
    }


def _record(metric: str, interval: Interval) -> MeasureRecord:
    return MeasureRecord(metric, interval.value, interval.low, interval.high)


def list_value_candidates(
    expected: Floats, rules: Mapping[str, Floats], actual: Floats
) -> tuple[CandidateRecord, ...]:
    """The value model beside spending rules, on the revenue that followed the test moment."""
    chosen = CandidateRecord(
        name="expected_revenue", chosen=True, measures=_measure_value(expected, actual)
    )
    baselines = [
        CandidateRecord(name=name, baseline=True, measures=_measure_value(scores, actual))
        for name, scores in rules.items()
    ]
    return (chosen, *baselines)


def _measure_value(expected: Floats, actual: Floats) -> tuple[MeasureRecord, ...]:
    found = measure_value(expected, actual)
    return (
        MeasureRecord("top_decile_capture", found.top_decile),
        MeasureRecord("spearman", found.spearman),
        MeasureRecord("bias", found.bias),
        MeasureRecord("mean_absolute_cents", found.mean_absolute_cents),
    )
