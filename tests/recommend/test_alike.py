"""Holding an item back from some who had it and are alike."""

import numpy as np

from lingxi.recommend.alike import hold_alike
from lingxi.recommend.matrix import densify, row_lengths
from lingxi.recommend.ratings import read_ratings

GROUP, OWN, SHARED = 60, 12, 5


def _make(rng):
    """Two circles of customers, each with items of its own, and some that half of both have."""
    table = np.zeros((2 * GROUP, 2 * OWN + SHARED))
    table[:GROUP, :OWN] = rng.random((GROUP, OWN)) < 0.7
    table[GROUP:, OWN : 2 * OWN] = rng.random((GROUP, OWN)) < 0.7
    table[:, 2 * OWN :] = rng.random((2 * GROUP, SHARED)) < 0.5
    return table


def _hold(table, seed):
    seen = read_ratings(table)
    lost = np.zeros(table.shape)
    rows = np.repeat(np.arange(len(table)), row_lengths(seen))
    held = hold_alike(seen, 0.2, np.random.default_rng(seed))
    lost[rows[held], seen.indices[held]] = 1
    assert (densify(seen)[lost > 0] > 0).all()
    return lost


def test_who_loses_an_item_is_of_one_circle():
    table = _make(np.random.default_rng(1))
    for seed in range(5):
        shared = _hold(table, seed)[:, 2 * OWN :]
        first, second = shared[:GROUP].sum(axis=0), shared[GROUP:].sum(axis=0)
        assert (np.maximum(first, second) >= 5).all()
        assert (np.minimum(first, second) <= 1).all()


def test_about_a_fifth_is_lost_and_by_nobody_more_than_half():
    table = _make(np.random.default_rng(2))
    lost = _hold(table, 0)
    assert 0.1 < lost.sum() / table.sum() <= 0.21
    assert (2 * lost.sum(axis=1) <= table.sum(axis=1)).all()


def test_who_has_one_item_keeps_it():
    assert not _hold(np.eye(6), 0).any()
