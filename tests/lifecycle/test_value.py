"""Expected revenue against its own formula, worked by hand."""

import numpy as np
import pytest
from lifecycle_shops import day

from lingxi.lifecycle.concepts import CHURN_FEATURES
from lingxi.lifecycle.frames import Frame
from lingxi.lifecycle.value import (
    ValueModel,
    expect_revenue,
    expect_year,
    fit_value,
    measure_retention,
    measure_value,
)

NONE = np.zeros(0)


def frame_of(frequency, lived, money, revenue=NONE):
    columns = {"frequency": frequency, "first_order_days": lived, "money_cents": money}
    X = np.full((len(frequency), len(CHURN_FEATURES)), np.nan)
    for name, values in columns.items():
        X[:, CHURN_FEATURES.index(name)] = values
    people = np.arange(len(frequency))
    labels = np.zeros(len(revenue), dtype=np.int8)
    return Frame(day(0), 100, people, X, labels, np.asarray(revenue, dtype=np.float64))


MODEL = ValueModel(horizon_days=100, orders_per_day=0.01, order_cents=2000)


def test_expectation_is_probability_times_orders_times_order_value():
    frame = frame_of([5], [300], [10_000])
    rate = (4 + 100 * 0.01) / (300 + 100) * 100
    value = (10_000 + 2 * 2000) / (5 + 2)
    found = expect_revenue(MODEL, frame, np.array([0.4]))[0]
    assert found == pytest.approx(0.4 * rate / (1 - np.exp(-rate)) * value)
    assert expect_revenue(MODEL, frame, None)[0] == pytest.approx(rate * value)


def test_who_is_sure_to_stay_away_is_worth_nothing_and_more_hope_is_worth_more():
    frame = frame_of([2, 2, 2], [50, 50, 50], [900, 900, 900])
    found = expect_revenue(MODEL, frame, np.array([0.0, 0.3, 0.9]))
    assert found[0] == 0
    assert 0 < found[1] < found[2]


def test_a_year_is_the_horizons_in_it_each_at_the_retention_of_the_one_before():
    frame = frame_of([2], [50], [900])
    half = ValueModel(horizon_days=100, orders_per_day=0.01, order_cents=2000, retention=0.5)
    one = expect_revenue(half, frame, np.array([0.5]))[0]
    year = expect_year(half, frame, np.array([0.5]))[0]
    assert year == pytest.approx(one * (1 + 0.5 + 0.25 + 0.65 * 0.125))
    assert expect_year(MODEL, frame, np.array([0.5]))[0] == pytest.approx(one * 3.65)


def test_refunds_beyond_the_spending_do_not_make_a_value_negative():
    assert expect_revenue(MODEL, frame_of([1], [10], [-5000]), None)[0] > 0


def test_level_is_that_of_the_closed_window_within_a_factor_of_two():
    rng = np.random.default_rng(0)
    n = 400
    frame = frame_of(rng.integers(1, 9, n), rng.uniform(10, 300, n), rng.uniform(1e3, 9e3, n))
    plain = expect_revenue(fit_value(frame, None, 100), frame, None)
    columns = [frame.column(c) for c in ("frequency", "first_order_days", "money_cents")]
    higher = frame_of(*columns, revenue=1.5 * plain)
    assert fit_value(higher, None, 100).scale == pytest.approx(1.5)
    assert fit_value(frame_of(*columns, revenue=9 * plain), None, 100).scale == 2.0
    assert fit_value(frame_of(*columns, revenue=0 * plain), None, 100).scale == 0.5


def test_back_test_measures_what_it_says():
    actual = np.concatenate([np.zeros(90), np.full(10, 50.0)])
    perfect = measure_value(actual, actual)
    assert (perfect.bias, perfect.top_decile) == (0.0, 1.0)
    assert perfect.spearman == pytest.approx(1.0)
    doubled = measure_value(2 * actual, actual)
    assert doubled.bias == pytest.approx(1.0)
    assert doubled.mean_absolute_cents == pytest.approx(5.0)
    assert measure_value(-actual, actual).top_decile == 0.0


def test_retention_stays_between_a_half_and_one():
    assert measure_retention(np.array([100.0]), np.array([500.0])) == 1.0
    assert measure_retention(np.array([100.0]), np.array([0.0])) == 0.5
    assert measure_retention(np.zeros(1), np.ones(1)) == 1.0
