"""No moment of training may know what happens after the moment of testing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingxi.errors import NotEnoughData
from lingxi.learning import choose_simplest, plan_cutoffs

START = datetime(2011, 1, 1, tzinfo=UTC)


@given(st.integers(20, 2000), st.integers(14, 180), st.integers(1, 6), st.integers(7, 60))
def test_every_window_ends_before_the_moment_it_is_judged_at(days, horizon, n, step):
    end = START + timedelta(days=days)
    try:
        plan = plan_cutoffs(START, end, horizon, n=n, step_days=step)
    except NotEnoughData:
        assert days < 2 * horizon + 30
        return
    h = timedelta(days=horizon)
    assert plan.test + h == end
    assert 1 <= len(plan.train) <= n
    assert list(plan.train) == sorted(plan.train)
    assert all(t + h <= plan.test for t in plan.train)
    assert all(t - START >= timedelta(days=15) for t in (*plan.train, *plan.validation_train))
    if plan.validation:
        assert plan.validation + h <= plan.test
        assert plan.validation_train
        assert all(t + h <= plan.validation for t in plan.validation_train)
    assert plan.serving[-1] == plan.test


def test_a_short_history_says_how_much_is_needed():
    with pytest.raises(NotEnoughData, match="210 days of history are needed, but there are 100"):
        plan_cutoffs(START, START + timedelta(days=100), 90)


def test_without_room_for_a_second_step_there_is_no_validation():
    plan = plan_cutoffs(START, START + timedelta(days=245), 90)
    assert plan.train
    assert plan.validation is None
    assert plan.validation_train == ()


def test_the_simplest_within_one_error_of_the_best_is_chosen():
    assert choose_simplest([0.70, 0.60, 0.71], 0.02) == 0
    assert choose_simplest([0.70, 0.60, 0.75], 0.02) == 2
    assert choose_simplest([0.70], 0.0) == 0
