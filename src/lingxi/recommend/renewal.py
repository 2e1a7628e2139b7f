"""Nearest neighbours after some rows have changed, without comparing the others with each other.

Two rows that did not change are as similar as they were. So only the changed ones are compared
with all, and what that says is merged into the lists of the others. A list that was full tells no
more than that whoever is not in it comes after its last; where too few come before that now, it is
made anew.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import (
    Csr,
    count_steps,
    keep_best,
    put_rows,
    row_lengths,
    stack,
    sum_pairs,
    transpose,
)
from lingxi.recommend.pairs import Similarity
from lingxi.recommend.similarity import compare_rows, find_neighbours

_MOST_WORK = 0.5
"""Where the changed rows take more of the work than this, comparing all is no slower."""
Cells = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Rows, columns and values."""


def update_neighbours(
    rows: Csr,
    near: Csr,
    changed: NDArray[np.bool_],
    k: int,
    similarity: Similarity,
    *,
    shrinkage: float = 0.0,
) -> Csr:
    """What ``find_neighbours`` says of ``rows``, from what it said before some of them changed.

    Parameters
    ----------
    near
        What it said, shape (n_rows, n_rows); of the changed rows anything.
    changed
        Shape (n_rows,): the rows that are others now, up to a factor that all rows share.
    similarity
        One of ``pairs.LOCAL``, which depend on the two rows alone.
    """
    n, at = len(changed), np.flatnonzero(changed)
    steps = count_steps(rows, transpose(rows))
    if float(steps[at].sum()) > _MOST_WORK * float(steps.sum()):
        return find_neighbours(rows, k, similarity, shrinkage=shrinkage)
    last = _find_last(near, k)
    fresh: list[Csr] = []
    cells = [_drop_changed(near, changed)]
    for own, pairs in compare_rows(rows, similarity, shrinkage, at):
        fresh.append(keep_best(pairs, k))
        cells.append(_turn(pairs, own, changed, last[0]))
    owners, others, values = (np.concatenate(parts) for parts in zip(*cells, strict=True))
    kept = keep_best(sum_pairs(owners, others, values, (n, n)), k)
    kept = put_rows(kept, at, stack(fresh, n))
    short = np.array(list(_find_short((owners, others, values), last, k, changed)), dtype=np.int64)
    if len(short):
        again = find_neighbours(rows, k, similarity, shrinkage=shrinkage, only=short)
        kept = put_rows(kept, short, again)
    return kept


def _find_last(near: Csr, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The last of each full list: its similarity and its row; 0 and -1 of lists that are not."""
    n = near.shape[0]
    values, places = np.zeros(n), np.full(n, -1, dtype=np.int64)
    for row in np.flatnonzero(row_lengths(near) >= k).tolist():
        cells = slice(int(near.indptr[row]), int(near.indptr[row + 1]))
        least = near.data[cells].min()
        values[row] = least
        places[row] = near.indices[cells][near.data[cells] == least].max()
    return values, places


def _drop_changed(near: Csr, changed: NDArray[np.bool_]) -> Cells:
    owners = np.repeat(np.arange(near.shape[0]), row_lengths(near))
    stays = ~changed[owners] & ~changed[near.indices]
    return owners[stays], near.indices[stays].astype(np.int64), near.data[stays]


def _turn(
    pairs: Csr, own: NDArray[np.int64], changed: NDArray[np.bool_], least: NDArray[np.float64]
) -> Cells:
    """What changed rows are to the others, as cells of the others; none below what is in a list."""
    sources, targets = np.repeat(own, row_lengths(pairs)), pairs.indices.astype(np.int64)
    wanted = ~changed[targets] & (pairs.data >= least[targets])
    return targets[wanted], sources[wanted], pairs.data[wanted]


def _find_short(
    cells: Cells,
    last: tuple[NDArray[np.float64], NDArray[np.int64]],
    k: int,
    changed: NDArray[np.bool_],
) -> Iterator[int]:
    """The unchanged rows whose list was full, and that now know fewer than k before its last."""
    owners, others, values = cells
    least, place = last[0][owners], last[1][owners]
    before = (values > least) | ((values == least) & (others <= place))
    known = np.bincount(owners[before], minlength=len(changed))
    yield from np.flatnonzero((last[1] >= 0) & ~changed & (known < k)).tolist()
