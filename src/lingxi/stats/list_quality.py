"""Recommended lists beside accuracy: how varied they are, how popular, how much of the shop.

``lists``: shape (n_customers, n), item indices, best first, -1 where a list is shorter. One number
per customer, NaN where a list cannot tell (left to the caller to leave out).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lingxi.stats.bootstrap import Interval
from lingxi.stats.ranking import coverage

Lists = NDArray[np.integer]
Values = NDArray[np.float64]
GROUPS = 3
_SHARES = (0.2, 0.8)
_PRODUCTS = 8_000_000
"""Multiplications in one block: about 100 MB."""

_csr: Callable[..., sparse.csr_array] = sparse.csr_array


def diversity(lists: Lists, holders: sparse.csr_array) -> Values:
    """Mean distance of the pairs of a list: 1 - cosine of who has them; NaN for fewer than two.

    ``holders``: shape (n_items, n_customers), above 0 where a customer has an item. With v the rows
    scaled to length 1, the sum over all pairs is ``(|sum_i v_i|^2 - sum_i |v_i|^2) / 2``.

    Source
    ------
    Smyth & McClave (2001), ICCBR, "Similarity vs. diversity".

    Examples
    --------
    >>> holders = sparse.csr_array([[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    >>> diversity(np.array([[0, 1], [0, 2]]), holders).round(9).tolist()
    [0.0, 1.0]
    """
    lengths = np.sqrt(_square_rows(holders))
    scales = np.where(lengths > 0, 1.0 / np.where(lengths > 0, lengths, 1.0), 0.0)
    filled = lists >= 0
    rows = np.repeat(np.arange(len(lists)), filled.sum(axis=1))
    items = lists[filled]
    chosen = _csr((scales[items], (rows, items)), shape=(len(lists), holders.shape[0]))
    sums = _square_sums(chosen, holders)
    alone = np.bincount(rows, weights=lengths[items] > 0, minlength=len(lists))
    n = filled.sum(axis=1)
    pairs = np.where(n > 1, n * (n - 1), np.nan)
    found: Values = np.clip(1.0 - (sums - alone) / pairs, 0.0, 1.0)
    return found


def _square_sums(chosen: sparse.csr_array, holders: sparse.csr_array) -> Values:
    """Sum of squares of each row of the product, a block of rows at a time: what many customers
    have makes it all but dense."""
    steps = np.cumsum(_sum_rows(chosen, np.diff(holders.indptr)))
    found, start = [np.empty(0)], 0
    while start < len(steps):
        before = steps[start - 1] if start else 0.0
        stop = max(int(np.searchsorted(steps, before + _PRODUCTS, side="right")), start + 1)
        found.append(_square_rows(chosen[start:stop] @ holders))
        start = stop
    return np.concatenate(found)


def _sum_rows(cells: sparse.csr_array, numbers: NDArray[np.number]) -> Values:
    """The sum over the stored cells of each row of a number of their column."""
    rows = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))
    weights = numbers[cells.indices].astype(np.float64)
    return np.bincount(rows, weights=weights, minlength=cells.shape[0]).astype(np.float64)


def _square_rows(matrix: sparse.csr_array) -> Values:
    """Sum of squares of each row."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    squares = matrix.data.astype(np.float64) ** 2
    return np.bincount(rows, weights=squares, minlength=matrix.shape[0]).astype(np.float64)


def group_by_popularity(counts: Values) -> NDArray[np.int64]:
    """Head, middle and tail: 0 for the items with the first 20 % of events, 2 the last 20 %.

    >>> group_by_popularity(np.array([6.0, 1, 1, 1, 1])).tolist()
    [0, 1, 1, 2, 2]
    """
    order = np.argsort(-counts, kind="stable")
    total = float(counts.sum())
    before = np.cumsum(counts[order]) - counts[order]
    share = before / total if total > 0 else np.ones(len(counts))
    groups = np.empty(len(counts), dtype=np.int64)
    groups[order] = np.searchsorted(_SHARES, share + 1e-12, side="right")
    return groups


def popularity_gap(lists: Lists, histories: Values, groups: NDArray[np.int64]) -> Values:
    """How far a list's popularity is from the customer's own: 0 the same, 1 as far as can be.

    Jensen-Shannon divergence, in bits, between the shares of head, middle and tail in the list and
    in the history. ``histories``: shape (n_customers, 3), the number of the history's items in each
    group. NaN without a history or a list.

    Source
    ------
    Abdollahpouri et al. (2021), UMAP, "User-centered evaluation of popularity bias".

    Examples
    --------
    >>> groups = np.array([0, 1, 2])
    >>> popularity_gap(np.array([[0], [1]]), np.array([[2.0, 0, 0], [0, 0, 5]]), groups).tolist()
    [0.0, 1.0]
    """
    shown = np.stack(
        [((groups[np.maximum(lists, 0)] == g) & (lists >= 0)).sum(axis=1) for g in range(GROUPS)],
        axis=1,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        p = shown / shown.sum(axis=1, keepdims=True)
        q = histories / histories.sum(axis=1, keepdims=True)
        middle = (p + q) / 2
        halves = [np.where(x > 0, x * np.log2(x / middle), 0.0).sum(axis=1) for x in (p, q)]
    gaps: Values = np.where(np.isnan(p + q).any(axis=1), np.nan, (halves[0] + halves[1]) / 2)
    return gaps


def coverage_interval(
    lists: Lists, n_items: int, *, rng: np.random.Generator, samples: int = 100
) -> Interval:
    """Share of the catalogue in at least one list, with its bootstrap 95 % interval.

    Fewer different customers in a resample reach fewer items, so the interval is moved by the mean
    difference between the resamples and the value.
    """
    value = coverage(lists, n_items)
    found = np.empty(samples)
    for sample in range(samples):
        met = np.zeros(n_items + 1, dtype=np.bool_)  # the last one for places that are empty
        met[lists[rng.integers(0, len(lists), len(lists))]] = True
        found[sample] = met[:-1].mean()
    low, high = np.quantile(found, [0.025, 0.975]) + (value - found.mean())
    low, high = min(max(low, 0.0), value), max(min(high, 1.0), value)
    return Interval(value, float(low), float(high))
