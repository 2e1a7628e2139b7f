"""Lists beside accuracy, against plain loops."""

import numpy as np
import pytest
from scipy import sparse

from lingxi.stats import list_quality
from lingxi.stats.list_quality import (
    coverage_interval,
    diversity,
    group_by_popularity,
    popularity_gap,
)

RNG = np.random.default_rng(3)
HOLDERS = (RNG.random((8, 30)) < 0.3).astype(float)
HOLDERS[7] = 0  # an item that nobody has


def test_diversity_is_the_mean_distance_of_all_pairs():
    lists = np.array([[0, 1, 2, 3], [4, 7, 5, -1], [6, -1, -1, -1], [-1, -1, -1, -1]])

    def similarity(a, b):
        length = np.linalg.norm(HOLDERS[a]) * np.linalg.norm(HOLDERS[b])
        return HOLDERS[a] @ HOLDERS[b] / length if length else 0.0

    found = diversity(lists, sparse.csr_array(HOLDERS))
    for row, items in enumerate([[0, 1, 2, 3], [4, 7, 5]]):
        pairs = [(a, b) for a in items for b in items if a < b]
        wanted = np.mean([1 - similarity(a, b) for a, b in pairs])
        assert found[row] == pytest.approx(wanted)
    assert np.isnan(found[2:]).all()


def test_diversity_is_the_same_in_blocks_of_any_size(monkeypatch):
    lists = np.argsort(RNG.random((40, 8)), axis=1)[:, :4]
    whole = diversity(lists, sparse.csr_array(HOLDERS))
    for products in (1, 60, 500):
        monkeypatch.setattr(list_quality, "_PRODUCTS", products)
        np.testing.assert_allclose(diversity(lists, sparse.csr_array(HOLDERS)), whole)
    assert len(diversity(lists[:0], sparse.csr_array(HOLDERS))) == 0


def test_the_gap_is_the_divergence_of_two_distributions():
    groups = np.array([0, 1, 1, 2])
    lists = np.array([[0, 1, 2, 3], [3, -1, -1, -1], [-1, -1, -1, -1]])
    own = np.array([[1.0, 2.0, 1.0], [3.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    found = popularity_gap(lists, own, groups)
    assert found[0] == pytest.approx(0.0)
    p, q = np.array([0, 0, 1.0]), np.array([0.75, 0, 0.25])
    m = (p + q) / 2
    wanted = (np.log2(1 / m[2]) + 0.75 * np.log2(0.75 / m[0]) + 0.25 * np.log2(0.25 / m[2])) / 2
    assert found[1] == pytest.approx(wanted)
    assert np.isnan(found[2])


def test_groups_hold_the_first_fifth_the_middle_and_the_last_fifth_of_events():
    counts = np.array([1, 50, 1, 20, 10, 10, 8.0])
    assert group_by_popularity(counts).tolist() == [2, 0, 2, 1, 1, 2, 2]
    assert group_by_popularity(np.zeros(2)).tolist() == [2, 2]


def test_coverage_lies_inside_its_interval_and_a_constant_list_has_none():
    lists = RNG.integers(0, 50, (200, 5))
    found = coverage_interval(lists, 100, rng=RNG)
    assert found.low <= found.value <= found.high
    assert found.value == len(np.unique(lists)) / 100
    constant = coverage_interval(np.zeros((20, 1), dtype=int), 4, rng=RNG)
    assert (constant.low, constant.value, constant.high) == (0.25, 0.25, 0.25)
