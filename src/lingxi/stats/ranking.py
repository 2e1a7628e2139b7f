"""Quality of ranked lists, one number per customer: recall, NDCG, hit rate, MRR, MAP and others.

Two arrays describe the lists. ``hits``: shape (n_customers, n), bool, true where the item at this
place of the list was wanted; places are in order, best first. ``wanted``: shape (n_customers,),
how many items each customer wanted, at least 1. Averages and intervals are left to the caller
(``stats.bootstrap``), since customers, not rows, are the independent units.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput

Hits = NDArray[np.bool_]
Counts = NDArray[np.int64]
Values = NDArray[np.float64]


def find_hits(lists: NDArray[np.integer], wanted: NDArray[np.bool_]) -> Hits:
    """Which recommended items were wanted.

    Parameters
    ----------
    lists
        Shape (n_customers, n): item indices, -1 where a list is shorter.
    wanted
        Shape (n_customers, n_items).

    Examples
    --------
    >>> find_hits(np.array([[2, 0], [1, -1]]), np.array([[1, 0, 0], [0, 1, 1]], dtype=bool))
    array([[False,  True],
           [ True, False]])
    """
    found: Hits = np.take_along_axis(wanted, np.maximum(lists, 0), axis=1) & (lists >= 0)
    return found


def recall(hits: Hits, wanted: Counts) -> Values:
    """Share of the wanted items that stand in the list, in [0, 1].

    >>> recall(np.array([[True, False, True]]), np.array([4])).tolist()
    [0.5]
    """
    _check(hits, wanted)
    found: Values = hits.sum(axis=1) / wanted
    return found


def precision(hits: Hits, wanted: Counts) -> Values:
    """Share of the list's places that hold a wanted item, in [0, 1]."""
    _check(hits, wanted)
    found: Values = hits.sum(axis=1) / hits.shape[1]
    return found


def hit_rate(hits: Hits, wanted: Counts) -> Values:
    """1 where at least one wanted item stands in the list, else 0."""
    _check(hits, wanted)
    any_hit: Values = np.any(hits, axis=1).astype(np.float64)
    return any_hit


def ndcg(hits: Hits, wanted: Counts) -> Values:
    """Normalised discounted cumulative gain with binary relevance, in [0, 1].

    ``sum_p hit_p / log2(p + 1)`` over places p = 1..n, divided by the same sum for a perfect list,
    which has ``min(wanted, n)`` hits at its head.

    Source
    ------
    Järvelin & Kekäläinen (2002), ACM TOIS 20(4).

    Examples
    --------
    >>> ndcg(np.array([[True, False], [False, True]]), np.array([1, 1])).round(4).tolist()
    [1.0, 0.6309]
    """
    _check(hits, wanted)
    n = hits.shape[1]
    discounts = 1.0 / np.log2(np.arange(2, n + 2))
    ideal = np.cumsum(discounts)[np.minimum(wanted, n) - 1]
    gain: Values = hits @ discounts / ideal
    return gain


def reciprocal_rank(hits: Hits, wanted: Counts) -> Values:
    """1 / place of the first hit, 0 without one; its mean is MRR.

    >>> reciprocal_rank(np.array([[False, True], [False, False]]), np.array([1, 1])).tolist()
    [0.5, 0.0]
    """
    _check(hits, wanted)
    first: Values = hits.any(axis=1) / (hits.argmax(axis=1) + 1)
    return first


def average_precision(hits: Hits, wanted: Counts) -> Values:
    """Mean over the wanted items of the precision at each hit; its mean is MAP.

    ``sum_p hit_p * (hits up to p) / p``, divided by ``min(wanted, n)``.

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(4).tolist()
    [0.8333]
    """
    _check(hits, wanted)
    n = hits.shape[1]
    at_place = np.cumsum(hits, axis=1) / np.arange(1, n + 1)
    precisions: Values = (hits * at_place).sum(axis=1) / np.minimum(wanted, n)
    return precisions


def coverage(lists: NDArray[np.integer], n_items: int) -> float:
    """Share of the catalogue that stands in at least one list, in [0, 1].

    >>> coverage(np.array([[0, 1], [1, -1]]), 4)
    0.5
    """
    if n_items < 1:
        raise InvalidInput("Coverage needs a catalogue of at least one item.")
    return len(np.unique(lists[lists >= 0])) / n_items


def novelty(lists: NDArray[np.integer], shares: Values) -> Values:
    """Mean surprise of each list in bits; 0 for an empty list.

    ``mean over the list of -log2(share_i)``, share_i being the part of all customers who have
    item i; an item nobody has counts as the rarest one seen.

    Source
    ------
    Zhou et al. (2010), PNAS 107(10), "self-information".

    Examples
    --------
    >>> novelty(np.array([[0, 1]]), np.array([0.5, 0.25])).tolist()
    [1.5]
    """
    seen = shares[shares > 0]
    rarest = float(seen.min()) if len(seen) else 1.0
    bits = -np.log2(np.where(shares > 0, shares, rarest))
    filled = lists >= 0
    total = np.where(filled, bits[np.maximum(lists, 0)], 0.0).sum(axis=1)
    surprise: Values = total / np.maximum(filled.sum(axis=1), 1)
    return surprise


def _check(hits: Hits, wanted: Counts) -> None:
    if hits.ndim != 2 or hits.shape[1] < 1 or wanted.shape != (hits.shape[0],):
        raise InvalidInput(
            f"Hits of shape {hits.shape} and wanted counts of shape {wanted.shape} do not fit: "
            "give one row of at least one place, and one count, per customer."
        )
    if len(wanted) and wanted.min() < 1:
        raise InvalidInput(
            "A customer who wanted nothing has no ranking quality. Leave such customers out."
        )
