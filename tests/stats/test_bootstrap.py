"""Bootstrap intervals against their known answers."""

import numpy as np
import pytest

from lingxi.errors import NotEnoughData
from lingxi.stats.bootstrap import bootstrap_difference, bootstrap_mean, bootstrap_means


def test_width_is_that_of_the_normal_interval_on_many_values():
    values = np.random.default_rng(1).normal(3.0, 2.0, 4000)
    interval = bootstrap_mean(values, rng=np.random.default_rng(2))
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    # 200 trials at 95%: fewer than 178 covered has probability < 1e-4 even at 93% true coverage
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        interval = bootstrap_mean(rng.normal(0, 1, 80), rng=rng, samples=400)
        covered += interval.low <= 0 <= interval.high
    assert 175 <= covered <= 200


def test_same_seed_gives_the_same_interval():
    values = np.arange(50.0)
    one = bootstrap_mean(values, rng=np.random.default_rng(5))
    assert one == bootstrap_mean(values, rng=np.random.default_rng(5))


def test_chunks_of_a_long_array_give_every_resample():
    values = np.random.default_rng(0).normal(0, 1, 300_000)
    interval = bootstrap_mean(values, rng=np.random.default_rng(1), samples=60)
    assert interval.low < interval.value < interval.high
    assert interval.high - interval.low < 0.02


def test_paired_difference_is_narrow_where_pairs_move_together():
    rng = np.random.default_rng(4)
    base = rng.normal(0, 10, 500)
    better = base + 0.5 + rng.normal(0, 0.1, 500)
    interval = bootstrap_difference(better, base, rng=rng)
    assert interval.low > 0.48
    assert interval.high < 0.52


def test_too_little_is_refused():
    with pytest.raises(NotEnoughData, match="two finite values"):
        bootstrap_mean(np.array([1.0]), rng=np.random.default_rng(0))
    with pytest.raises(NotEnoughData):
        bootstrap_mean(np.array([1.0, np.nan]), rng=np.random.default_rng(0))
    with pytest.raises(NotEnoughData, match="3 and 2"):
        bootstrap_difference(np.ones(3), np.ones(2), rng=np.random.default_rng(0))


def test_many_numbers_of_the_same_units_have_the_intervals_of_each_alone():
    rng = np.random.default_rng(6)
    values = {"normal": rng.normal(3, 2, 4000), "rare": (rng.random(4000) < 0.02) * 1.0}
    together = bootstrap_means(values, rng=np.random.default_rng(7), samples=2000)
    for name, column in values.items():
        alone = bootstrap_mean(column, rng=np.random.default_rng(8), samples=2000)
        half = 1.96 * column.std() / np.sqrt(len(column))
        assert together[name].value == pytest.approx(column.mean())
        assert together[name].low == pytest.approx(alone.low, abs=0.15 * half)
        assert together[name].high == pytest.approx(alone.high, abs=0.15 * half)


def test_one_set_of_resamples_serves_all_numbers():
    values = np.random.default_rng(9).normal(0, 1, 60)
    both = {"a": values, "b": 2 * values + 1}
    found = bootstrap_means(both, rng=np.random.default_rng(10), samples=200)
    assert found["b"].low == pytest.approx(2 * found["a"].low + 1)
    assert found["b"].high == pytest.approx(2 * found["a"].high + 1)


def test_units_that_lack_a_number_are_left_out_of_its_mean():
    values = np.arange(40.0)
    gaps = np.where(values % 2 == 0, values, np.nan)
    found = bootstrap_means({"a": values, "b": gaps}, rng=np.random.default_rng(0), samples=500)
    alone = bootstrap_mean(values[::2], rng=np.random.default_rng(1), samples=500)
    assert found["b"].value == alone.value == 19.0
    assert found["b"].low == pytest.approx(alone.low, abs=2.0)
    assert found["b"].high == pytest.approx(alone.high, abs=2.0)
    few = np.full(40, np.nan)
    few[3] = 1.0
    assert list(bootstrap_means({"a": values, "c": few}, rng=np.random.default_rng(0))) == ["a"]
    with pytest.raises(NotEnoughData, match=r"\[2, 3\]"):
        bootstrap_means({"a": np.ones(2), "b": np.ones(3)}, rng=np.random.default_rng(0))


def test_an_interval_holds_its_value_where_all_have_the_same():
    # the mean of equal numbers and that of their resamples differ in the last digits
    rng = np.random.default_rng(9)
    for value in rng.uniform(1, 9, 40):
        column = np.full(971, value)
        found = [*bootstrap_means({"a": column}, rng=rng, samples=50).values()]
        found.append(bootstrap_mean(column, rng=rng, samples=50))
        for each in found:
            assert each.low <= each.value <= each.high
