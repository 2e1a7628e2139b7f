"""The highest scores of a history, and the largest terms of each."""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Real = TypeVar("Real", bound=np.floating)
_GROUPS = 256
_FEW = 8
"""Terms a row, up to which looking for the highest again and again costs less than sorting."""


class Terms(NamedTuple):
    """What a score is made of: their sum, the sum of those that speak for it, and the largest."""

    total: float
    support: float
    largest: list[tuple[int, float]]


@dataclass(frozen=True)
class Spread:
    """The items that a history touches, in no order, and their scores; 0 where an item is not
    touched, or stands there again."""

    items: NDArray[np.integer]
    scores: NDArray[np.float32]


def find_scores(spread: Spread, listed: NDArray[np.integer]) -> NDArray[np.float32]:
    """The scores of some items that a spread holds."""
    met = np.flatnonzero(spread.scores)
    items = spread.items[met]
    order = np.argsort(items)
    found: NDArray[np.float32] = spread.scores[
        met[order[np.searchsorted(items, listed, sorter=order)]]
    ]
    return found


def put_new(
    listed: NDArray[np.integer],
    values: NDArray[np.float32],
    lent: NDArray[np.float32],
    barred: Whole,
    n_known: int,
    n: int,
) -> Whole:
    """The ``n`` best of the listed and of the new items; equal ones by their place."""
    lent[barred[(barred >= n_known) & (barred < n_known + len(lent))] - n_known] = 0
    new = np.flatnonzero(lent > 0)
    if len(new) > n:
        floor = np.partition(lent[new], len(new) - n)[len(new) - n]
        new = new[lent[new] >= floor]
    places = np.concatenate((listed.astype(np.int64), new + n_known))
    scores = np.concatenate((values, lent[new]))
    best: Whole = places[np.lexsort((places, -scores))[:n]]
    return best


def list_largest(table: NDArray[np.float64], reasons: int) -> list[Terms]:
    """Each row's terms, the largest of them with their places; equal ones in their order.

    >>> list_largest(np.array([[1.0, -2.0, 3.0, 1.0]]), 2)
    [Terms(total=3.0, support=5.0, largest=[(2, 3.0), (0, 1.0)])]
    """
    width = table.shape[1]
    totals = supports = table.sum(axis=1).tolist()
    if table.min(initial=0.0) < 0:
        supports = np.maximum(table, 0.0).sum(axis=1).tolist()
    pick = _pick_few if 0 < reasons <= _FEW and width else _pick_sorted
    return [Terms(*each) for each in zip(totals, supports, pick(table, reasons), strict=True)]


def _pick_few(table: NDArray[np.float64], reasons: int) -> list[list[tuple[int, float]]]:
    """The largest terms above 0 of each row: the first of the highest, again and again."""
    left = table.copy()
    flat, starts = left.reshape(-1), np.arange(len(table)) * table.shape[1]
    found: list[list[tuple[int, float]]] = [[] for _ in range(len(table))]
    for _ in range(min(reasons, table.shape[1])):
        places = left.argmax(axis=1)
        cells = starts + places
        for own, place, value in zip(found, places.tolist(), flat[cells].tolist(), strict=True):
            if value > 0:
                own.append((place, value))
        flat[cells] = 0.0
    return found


def _pick_sorted(table: NDArray[np.float64], reasons: int) -> list[list[tuple[int, float]]]:
    """The same for any number of terms."""
    width = table.shape[1]
    chosen = table > 0
    if 0 < reasons < width:
        least = np.partition(table, width - reasons, axis=1)[:, width - reasons]
        chosen &= table >= least[:, None]
    rows, places = chosen.nonzero()
    values = table[rows, places]
    order = np.lexsort((-values, rows))  # stable: equal ones stay in their order
    pairs = list(zip(places[order].tolist(), values[order].tolist(), strict=True))
    found, start = list[list[tuple[int, float]]](), 0
    for count in np.bincount(rows, minlength=len(table)).tolist():
        found.append(pairs[start : start + min(reasons, count)])
        start += count
    return found


def sort_best(spread: Spread, n: int) -> list[int]:
    """The ``n`` items of the highest scores above 0, and what equals the last; equal ones by place.

    >>> sort_best(Spread(np.array([7, 3, 5]), np.array([2.0, 2.0, 1.0], np.float32)), 1)
    [3, 7]
    """
    scores, items = spread.scores, spread.items
    floor = find_floor(scores, n)
    kept = (scores >= floor if floor > 0 else scores > 0).nonzero()[0]
    scores, items = scores[kept], items[kept]
    if n < len(scores):
        stays = scores >= np.partition(scores, len(scores) - n)[len(scores) - n]
        scores, items = scores[stays], items[stays]
    found: list[int] = items[np.lexsort((items, -scores))].tolist()
    return found


def find_floor(scores: NDArray[np.floating], n: int) -> float:
    """What at least ``n`` scores reach: the ``n``-th of the highest of many groups.

    Nearly the ``n``-th of all, without sorting all of them.
    """
    return float(find_floors(scores[None, :], n)[0])


def find_floors(table: NDArray[Real], n: int) -> NDArray[Real]:
    """``find_floor`` of each row of a table."""
    groups = max(_GROUPS, 4 * n)
    rows = table.shape[1] // groups
    if rows < 2:
        return np.zeros(len(table), dtype=table.dtype)
    parts = table[:, : rows * groups].reshape(len(table), rows, groups)
    highest = parts.max(axis=1)
    return np.partition(highest, groups - n, axis=1)[:, groups - n]
