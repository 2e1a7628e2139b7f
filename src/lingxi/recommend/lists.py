"""From scores to lists: the best n of each row, in a fixed order, filled up where short."""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, row_lengths

_FEW = 0.05
"""The share of cells up to which sorting them all is cheaper than looking for each row's n-th."""


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
    candidates = scores > above
    if n < n_items and np.count_nonzero(candidates) > _FEW * scores.size:
        threshold = np.partition(scores, n_items - n, axis=1)[:, n_items - n, None]
        candidates &= scores >= threshold
    rows, items = np.nonzero(candidates)
    order = np.lexsort((items, -scores[rows, items], rows))
    rows, items = rows[order], items[order]
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_rows))))
    places = np.arange(len(rows)) - starts[rows]
    kept = places < n
    lists[rows[kept], places[kept]] = items[kept]
    return lists
