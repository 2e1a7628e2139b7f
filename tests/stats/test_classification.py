"""Ranking and probability measures against scikit-learn and against hand-made answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from lingxi.errors import NotEnoughData
from lingxi.stats.calibration import calibration_error, reliability_curve
from lingxi.stats.classification import (
    area_under_curve,
    auc_difference,
    average_precision,
    brier_score,
    log_loss,
    precision_at_share,
)


@st.composite
def scored(draw):
    n = draw(st.integers(6, 60))
    labels = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=np.int8)
    labels[:4] = [0, 1, 0, 1]
    levels = draw(st.lists(st.integers(0, 10), min_size=n, max_size=n))
    return labels, np.array(levels, dtype=np.float64) / 10


@settings(max_examples=80, deadline=None)
@given(scored())
def test_measures_equal_scikit_learn_ties_included(data):
    labels, scores = data
    assert area_under_curve(labels, scores).value == pytest.approx(roc_auc_score(labels, scores))
    assert average_precision(labels, scores) == pytest.approx(
        average_precision_score(labels, scores)
    )
    assert brier_score(labels, scores) == pytest.approx(brier_score_loss(labels, scores))
    inside = 0.05 + 0.9 * scores
    assert log_loss(labels, inside) == pytest.approx(sklearn_log_loss(labels, inside))


def test_delong_interval_covers_the_true_auc():
    # normal classes one standard deviation apart: AUC = Phi(1/sqrt 2) = 0.7602; 300 trials at 95%:
    # 271 or fewer covered has probability < 0.001
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 150).astype(np.int8)
    covered = 0
    for _ in range(300):
        interval = area_under_curve(labels, rng.normal(labels, 1.0))
        covered += interval.low <= 0.7602 <= interval.high
    assert 272 <= covered <= 299


def test_difference_of_aucs_knows_that_the_scores_are_paired():
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 500).astype(np.int8)
    score = rng.normal(labels, 1.0)
    nearly = score + rng.normal(0, 0.05, 1000)
    paired = auc_difference(labels, score, nearly)
    alone = area_under_curve(labels, score)
    assert paired.high - paired.low < 0.3 * (alone.high - alone.low)
    assert paired.low < 0 < paired.high
    worse = auc_difference(labels, score, rng.normal(0, 1, 1000))
    assert worse.low > 0.15
    assert auc_difference(labels, score, score).high == 0


@settings(max_examples=50, deadline=None)
@given(scored(), st.sampled_from([0.1, 0.25, 0.5, 1.0]), st.randoms(use_true_random=False))
def test_precision_at_share_does_not_depend_on_the_order_of_rows(data, share, random):
    labels, scores = data
    order = list(range(len(labels)))
    random.shuffle(order)
    value = precision_at_share(labels, scores, share)
    assert precision_at_share(labels[order], scores[order], share) == pytest.approx(value)
    assert precision_at_share(labels, scores, 1.0) == pytest.approx(labels.mean())


def test_calibration_error_is_small_only_where_probabilities_are_true():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.05, 0.95, 20_000)
    labels = (rng.uniform(size=20_000) < truth).astype(np.int8)
    assert calibration_error(labels, truth) < 0.012
    assert calibration_error(labels, np.sqrt(truth)) > 0.1
    assert sum(b.count for b in reliability_curve(labels, truth, n_bins=7)) == 20_000


def test_one_class_is_refused_with_what_is_missing():
    with pytest.raises(NotEnoughData, match="there are 0 and 3"):
        area_under_curve(np.zeros(3, dtype=np.int8), np.arange(3.0))
    with pytest.raises(NotEnoughData):
        average_precision(np.zeros(3, dtype=np.int8), np.arange(3.0))
    with pytest.raises(NotEnoughData):
        calibration_error(np.zeros(0, dtype=np.int8), np.zeros(0))
    with pytest.raises(ValueError, match="share"):
        precision_at_share(np.array([1, 0], dtype=np.int8), np.arange(2.0), 0.0)
