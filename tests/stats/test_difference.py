"""Differences with their intervals, against published values, SciPy and simulated coverage."""

import numpy as np
import pytest
from scipy import stats

from lingxi.errors import InvalidInput, NotEnoughData
from lingxi.stats.difference import (
    Moments,
    difference_of_means,
    difference_of_shares,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 10), 0.6075, 1.0000),
        ((0, 10, 0, 10), -0.2775, 0.2775),
    ],
)
def test_newcombes_published_intervals_are_met(
    counts: tuple[int, int, int, int], low: float, high: float
) -> None:
    """Newcombe (1998), Table II, method 10."""
    found = difference_of_shares(*counts)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (3, 7), (40, 41), (12, 12)])
def test_a_share_has_wilsons_interval_as_scipy_has_it(successes: int, n: int) -> None:
    theirs = stats.binomtest(successes, n).proportion_ci(0.9, method="wilson")
    ours = wilson_interval(successes, n, alpha=0.1)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_means_have_welchs_interval_as_scipy_has_it() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.gamma(2.0, 30.0, 80), rng.gamma(2.0, 20.0, 33)
    theirs = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.9)
    ours = difference_of_means(moments(one), moments(two), alpha=0.1)
    assert ours.value == pytest.approx(one.mean() - two.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


def test_nine_in_ten_intervals_of_shares_hold_the_truth() -> None:
    """300 draws, 90 % intervals: fewer than 82.5 % would be 4.3 standard errors away."""
    rng = np.random.default_rng(11)
    draws = zip(rng.binomial(400, 0.06, 300), rng.binomial(60, 0.04, 300), strict=True)
    held = 0
    for one, two in draws:
        found = difference_of_shares(int(one), 400, int(two), 60, alpha=0.1)
        held += found.low <= 0.02 <= found.high
    assert held / 300 > 0.825


def test_groups_without_variance_differ_exactly() -> None:
    found = difference_of_means(Moments(5, 10, 20), Moments(5, 5, 5))
    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(NotEnoughData):
        difference_of_shares(0, 0, 1, 10)
    with pytest.raises(InvalidInput):
        difference_of_shares(11, 10, 1, 10)
    with pytest.raises(NotEnoughData):
        difference_of_means(Moments(1, 1, 1), Moments(5, 5, 5))


def moments(values: np.ndarray) -> Moments:
    return Moments(len(values), float(values.sum()), float((values**2).sum()))
