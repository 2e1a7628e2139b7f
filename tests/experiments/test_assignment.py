"""Who is in which arm."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from lingxi.errors import InvalidInput
from lingxi.experiments import assign, in_holdout
from lingxi.experiments.assignment import draw

ARMS = {"a": 0.2, "b": 0.3, "c": 0.5}


def test_shares_are_met_and_arms_of_two_experiments_are_independent() -> None:
    n = 30_000
    counts = Counter((assign("one", u, ARMS), assign("two", u, ARMS)) for u in range(n))
    distance = sum(
        (counts[one, two] - n * ARMS[one] * ARMS[two]) ** 2 / (n * ARMS[one] * ARMS[two])
        for one in ARMS
        for two in ARMS
    )
    assert distance < chi2.ppf(0.999, 8)  # fixed units: it is so or it is not


@given(st.integers(0, 2**62), st.floats(0, 1), st.floats(0, 1))
def test_who_is_held_out_stays_so_when_the_share_grows(unit: int, one: float, two: float) -> None:
    small, large = sorted((one, two))
    assert not in_holdout("journey:x", unit, small) or in_holdout("journey:x", unit, large)


@given(st.integers(), st.text(max_size=20))
def test_nobody_and_everybody_can_be_held_out(unit: int, name: str) -> None:
    assert not in_holdout(name, unit, 0.0)
    assert in_holdout(name, unit, 1.0)
    assert 0.0 <= draw(name, unit) < 1.0


def test_an_arm_without_a_share_is_never_given() -> None:
    arms = {"a": 0.0, "b": 1.0, "c": 0.0}
    assert {assign("x", unit, arms) for unit in range(2_000)} == {"b"}


def test_a_holdout_is_not_the_arm_of_an_experiment_of_the_same_name() -> None:
    n = 10_000
    both = sum(
        in_holdout("x", u, 0.5) and assign("x", u, {"a": 0.5, "b": 0.5}) == "a" for u in range(n)
    )
    assert 0.22 * n < both < 0.28 * n


@pytest.mark.parametrize("arms", [{"a": 0.5}, {"a": 1.2, "b": -0.2}, {}, {"a": float("nan")}])
def test_shares_that_divide_nobody_are_refused(arms: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="'x'"):
        assign("x", 1, arms)


def test_a_holdout_beyond_everybody_is_refused() -> None:
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        in_holdout("x", 1, 1.5)
