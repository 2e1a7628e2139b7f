"""Shares that sum to the score: known games, and against all orders."""

from itertools import permutations

import numpy as np
import pytest

from lingxi.recommend.deep import shares
from lingxi.recommend.deep.shares import share_out
from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import densify

N = 12
WORTH = np.random.default_rng(3).random((N, N)).astype(np.float32)


def _history(items, rows=1):
    items = np.array(items, dtype=np.int64)
    return Histories.of_events(
        np.zeros(len(items), dtype=np.int64), items, (rows, N), moments=np.arange(len(items))
    )


def _sum(histories):
    return (densify(histories.seen()) @ WORTH).astype(np.float32)


def _largest(histories):
    had = densify(histories.seen()) > 0
    best = np.where(had[:, :, None], WORTH[None], 0).max(axis=1)
    return best.astype(np.float32)


def _order_matters(histories):
    """An item's place in the history counts, and repetitions do."""
    scores = np.zeros(histories.shape, dtype=np.float32)
    for row in range(histories.n_rows):
        events = histories.items[histories.indptr[row] : histories.indptr[row + 1]]
        for place, item in enumerate(events):
            scores[row] += WORTH[item] * WORTH[events[-1]] / (place + 1)
    return scores


LISTS = np.array([[5, 0, 11]])


@pytest.mark.parametrize("items", [[2], [2, 7, 4], [1, 2, 3, 4, 5, 6, 7, 8, 9]])
def test_what_each_adds_to_a_sum_is_its_share(items):
    told = densify(share_out(_sum, _history(items), LISTS))
    wanted = np.zeros((3, N))
    wanted[:, items] = WORTH[np.ix_(items, LISTS[0])].T
    np.testing.assert_allclose(told, wanted, atol=1e-6)


def test_two_that_say_the_same_share_alike():
    def either(histories):
        return (densify(histories.seen())[:, [1, 2]].max(axis=1, keepdims=True) > 0) * np.ones(
            (1, N), dtype=np.float32
        )

    told = densify(share_out(either, _history([1, 2, 3]), LISTS))
    np.testing.assert_allclose(told[:, [1, 2, 3]], [[0.5, 0.5, 0.0]] * 3)


def test_small_histories_get_the_mean_over_all_orders():
    items = [3, 8, 1, 6]
    told = densify(share_out(_order_matters, _history(items), LISTS))
    wanted = np.zeros((3, N))
    for order in permutations(items):
        before = np.zeros(N)
        for come in range(1, 5):
            inside = [item for item in items if item in order[:come]]
            after = _order_matters(_history(inside))[0]
            wanted[:, order[come - 1]] += (after - before)[LISTS[0]] / 24
            before = after
    np.testing.assert_allclose(told, wanted, atol=1e-6)


@pytest.mark.parametrize("score", [_sum, _largest, _order_matters])
@pytest.mark.parametrize("items", [[4], [1, 5, 5, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 3]])
def test_shares_sum_to_the_score_however_many_items(score, items):
    history = _history(items)
    told = densify(share_out(score, history, LISTS))
    np.testing.assert_allclose(told.sum(axis=1), score(history)[0, LISTS[0]], atol=1e-6)
    assert not told[:, [item for item in range(N) if item not in items]].any()


def test_drawn_orders_come_close_to_all_orders(monkeypatch):
    history = _history([1, 2, 3, 4, 5, 6])
    monkeypatch.setattr(shares, "EXACT_UP_TO", 6)
    exact = densify(share_out(_largest, history, LISTS))
    monkeypatch.setattr(shares, "EXACT_UP_TO", 4)
    monkeypatch.setattr(shares, "PARTS", 12_000)
    drawn = densify(share_out(_largest, history, LISTS))
    np.testing.assert_allclose(drawn, exact, atol=0.02)


def test_the_same_history_has_the_same_shares_alone_and_among_others():
    both = Histories.of_events(
        np.array([0] * 7 + [1] * 2),
        np.array([0, 1, 2, 3, 4, 5, 6, 9, 8]),
        (2, N),
        moments=np.arange(9),
    )
    together = densify(share_out(_largest, both, np.repeat(LISTS, 2, axis=0)))
    for row in (0, 1):
        alone = densify(share_out(_largest, both.take(np.array([row])), LISTS))
        np.testing.assert_array_equal(together[row * 3 : row * 3 + 3], alone)


def test_nobody_without_a_history_has_shares():
    assert share_out(_sum, _history([]), LISTS).nnz == 0
