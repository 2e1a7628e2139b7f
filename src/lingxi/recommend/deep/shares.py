"""What each item of a history gave to a score that is no sum: Shapley values, which sum to it.

A part of the history has a score too, none has 0. An item's share is what it adds to the score,
averaged over the orders in which the items may come in. The shares of one score add up to it
whatever orders were drawn, since what is added along one order is the whole. Taking an item out
does not lower the score by its share, as it does for a linear model: other items may say the same.

Source
------
Shapley (1953); drawing orders: Castro, Gómez & Tejada (2009), Computers & OR 36(5); an order with
its reverse: Mitchell et al. (2022), JMLR 23(43).
"""

from collections.abc import Callable
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.matrix import Csr, build_csr, stack

EXACT_UP_TO = 4
"""Items of a history up to which all orders are looked at."""
PARTS = 128
"""Parts of one history that are scored, about; two orders at least."""
_CELLS = 20_000_000

Score = Callable[[Histories], NDArray[np.float32]]


def share_out(score: Score, histories: Histories, lists: NDArray[np.int64], seed: int = 0) -> Csr:
    """Shares of each item of each history in the scores of its listed items.

    See ``Scorer.explain`` for the shapes. ``score`` must give 0 for a history without events. The
    same history gets the same shares at every call.
    """
    blocks = []
    for row in range(histories.n_rows):
        alone = histories.take(np.array([row]))
        items = np.unique(alone.items)
        shares = _share(score, alone, items, lists[row], np.random.default_rng(seed))
        n, m = len(lists[row]), len(items)
        indptr = np.arange(n + 1, dtype=np.int64) * m
        blocks.append(
            build_csr(shares.T.ravel(), np.tile(items, n), indptr, (n, histories.n_items))
        )
    return stack(blocks, histories.n_items)


def _share(
    score: Score,
    alone: Histories,
    items: NDArray[np.int64],
    listed: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Shape (n_items_of_history, n_listed)."""
    m = len(items)
    if not m:
        return np.zeros((0, len(listed)))
    orders = _draw_orders(m, rng)
    before = np.zeros((len(orders), m + 1, m), dtype=np.bool_)  # who is in, before each comes
    for at in range(m):
        before[:, at + 1] = before[:, at]
        before[np.arange(len(orders)), at + 1, orders[:, at]] = True
    parts, back = np.unique(before.reshape(-1, m), axis=0, return_inverse=True)
    values = _score_parts(score, alone, items, parts, listed)
    steps = np.diff(values[back.reshape(len(orders), m + 1)], axis=1)
    shares = np.zeros((m, len(listed)))
    np.add.at(shares, orders, steps)
    return shares / len(orders)


def _draw_orders(m: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Orders in which m items may come, shape (n_orders, m); each drawn one with its reverse."""
    if m <= EXACT_UP_TO:
        return np.array(list(permutations(range(m))), dtype=np.int64)
    drawn = [rng.permutation(m) for _ in range(max(1, PARTS // (2 * m)))]
    return np.array([order for each in drawn for order in (each, each[::-1])], dtype=np.int64)


def _score_parts(
    score: Score,
    alone: Histories,
    items: NDArray[np.int64],
    parts: NDArray[np.bool_],
    listed: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The listed items' scores for each part of the history, shape (n_parts, n_listed)."""
    values = np.zeros((len(parts), len(listed)))
    places = np.searchsorted(items, alone.items)
    step = max(1, _CELLS // alone.n_items)
    for start in range(0, len(parts), step):
        some = parts[start : start + step]
        many = alone.take(np.zeros(len(some), dtype=np.int64))
        values[start : start + step] = score(many.keep(some[:, places].ravel()))[:, listed]
    values[~parts.any(axis=1)] = 0.0
    return values
