"""From scores to lists: the best n of each row, in a fixed order, filled up where short."""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.largest import find_floor
from lingxi.recommend.matrix import Csr, row_lengths

_WIDE = 400
"""Items from which rows are worth sorting one at a time: then what is sorted stays in the cache."""


def exclude(scores: NDArray[np.float32], cells: Csr) -> None:
    """Put the stored cells of a matrix of the same shape out of reach, in place."""
    rows = np.repeat(np.arange(cells.shape[0]), row_lengths(cells))
    scores[rows, cells.indices] = -np.inf


def fill_up(scores: NDArray[np.float32], popularity: NDArray[np.float64]) -> None:
    """Put items not scored above 0 behind those that are, by falling popularity, in place.

    Such a cell becomes ``-1 - place``, so that a score below 0 says where it came from.
    """
    place = np.empty(len(popularity), dtype=np.float32)
    place[np.argsort(-popularity, kind="stable")] = np.arange(len(popularity), dtype=np.float32)
    unknown = scores <= 0
    np.copyto(scores, np.broadcast_to(-1 - place, scores.shape), where=unknown)


def list_best(
    scores: NDArray[np.float32], n: int, popularity: NDArray[np.float64], barred: Csr
) -> NDArray[np.int64]:
    """The ``n`` best items of each row, filled up by falling popularity; changes ``scores``.

    As ``fill_up``, ``exclude`` and ``top_items`` one after the other, but only rows in which too
    few are scored above 0 are filled up.
    """
    exclude(scores, barred)
    lists = top_items(scores, n, above=0.0)
    short = np.flatnonzero((lists < 0).any(axis=1))
    if len(short):
        filled = scores[short]
        fill_up(filled, popularity)
        exclude(filled, barred[short])
        lists[short] = top_items(filled, n)
    return lists


def top_items(scores: NDArray[np.float32], n: int, *, above: float = -np.inf) -> NDArray[np.int64]:
    """Item indices of the ``n`` highest scores of each row over ``above``, -1 where fewer.

    Best first; equal scores: lower index first.

    Examples
    --------
    >>> top_items(np.array([[1, 3, 3, 2], [0, -np.inf, 5, -np.inf]], dtype=np.float32), 3).tolist()
    [[1, 2, 3], [2, 0, -1]]
    >>> top_items(np.array([[0, 2, 0, 0]], dtype=np.float32), 2, above=0.0).tolist()
    [[1, -1]]
    """
    n_rows, n_items = scores.shape
    lists = np.full((n_rows, n), -1, dtype=np.int64)
    if not n_rows or not n_items:
        return lists
    if n_items >= _WIDE:
        for row in range(n_rows):
            found = _top_of_row(scores[row], n, above)
            lists[row, : len(found)] = found
        return lists
    rows, items = np.nonzero(scores > above)
    order = np.lexsort((items, -scores[rows, items], rows))
    rows, items = rows[order], items[order]
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_rows))))
    places = np.arange(len(rows)) - starts[rows]
    kept = places < n
    lists[rows[kept], places[kept]] = items[kept]
    return lists


def _top_of_row(scores: NDArray[np.float32], n: int, above: float) -> NDArray[np.int64]:
    """Items of one row, at most ``n``; see ``top_items``."""
    floor = find_floor(scores, n)
    items = np.flatnonzero(scores >= floor if floor > above else scores > above)
    values = scores[items]
    if len(items) > n:
        kept = values >= np.partition(values, len(items) - n)[len(items) - n]
        items, values = items[kept], values[kept]
    best: NDArray[np.int64] = items[np.argsort(-values, kind="stable")[:n]]
    return best
