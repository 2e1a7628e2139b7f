"""Calibrators against probabilities known by construction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingxi.errors import NotEnoughData
from lingxi.learning import Calibrator, fit_calibrator
from lingxi.stats.calibration import calibration_error
from lingxi.stats.classification import area_under_curve


def draw(n, seed):
    rng = np.random.default_rng(seed)
    odds = rng.normal(-0.5, 1.5, n)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    return odds, y


def test_platt_finds_the_slope_and_level_that_were_planted():
    odds, y = draw(1500, 0)
    found = fit_calibrator(2 * odds + 1, y)
    assert found.method == "platt"
    assert found.values == pytest.approx([0.5, -0.5], abs=0.15)


def test_isotonic_takes_over_at_a_thousand_positives_and_mends_what_a_sigmoid_cannot():
    odds, y = draw(20_000, 1)
    bent = np.sign(odds) * odds**2 + 3
    found = fit_calibrator(bent, y)
    assert found.method == "isotonic"
    fresh, fresh_y = draw(20_000, 2)
    told = found.apply(np.sign(fresh) * fresh**2 + 3)
    assert calibration_error(fresh_y, told) < 0.015


def test_isotonic_through_block_centres_keeps_the_ranking():
    odds, y = draw(20_000, 3)
    found = fit_calibrator(odds, y)
    fresh, fresh_y = draw(8000, 4)
    lost = area_under_curve(fresh_y, fresh).value
    lost -= area_under_curve(fresh_y, found.apply(fresh)).value
    assert abs(lost) < 0.001


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([60, 4000]), st.integers(1, 40))
def test_a_higher_score_never_gets_a_lower_probability(seed, n, levels):
    odds, y = draw(n, seed)
    y[:4] = [0, 1, 0, 1]
    scores = np.round(odds * levels) / levels
    found = fit_calibrator(scores, y)
    told = found.apply(np.sort(scores))
    assert (np.diff(told) >= -1e-12).all()
    assert told.min() >= 0.001
    assert told.max() <= 0.999


def test_mean_probability_is_the_base_rate_of_the_window():
    for n in (400, 6000):
        odds, y = draw(n, 5)
        told = fit_calibrator(odds - 2, y).apply(odds - 2)
        assert told.mean() == pytest.approx(y.mean(), abs=0.01)


def test_a_calibrator_comes_back_from_its_parts():
    odds, y = draw(5000, 6)
    found = fit_calibrator(odds, y)
    again = Calibrator.from_parts(found.parts())
    assert np.array_equal(again.apply(odds), found.apply(odds))


def test_one_class_is_refused():
    with pytest.raises(NotEnoughData):
        fit_calibrator(np.arange(9.0), np.ones(9, dtype=np.int8))
