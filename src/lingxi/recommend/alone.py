"""One history against the parts of a learnt model, at the cost of the cells that it touches.

What each part says goes into arrays of the candidates alone; of what is as wide as the catalogue
only sums and marks are kept, one of each for every thread.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.gathered import Linear, find_linear
from lingxi.recommend.histories import Histories
from lingxi.recommend.kernels import Cells, Rows, gather_rows, list_once
from lingxi.recommend.largest import find_floor
from lingxi.recommend.matrix import Csr, build_csr
from lingxi.recommend.scorer import Scorer
from lingxi.recommend.scratch import Scratch

Whole = NDArray[np.int64]
Vector = NDArray[np.float64]
Table = NDArray[np.float32]
Heads = Sequence[tuple[Whole, Table]]
"""What each part says: items and the shares of its best one."""


def find_met(history: Histories) -> Whole:
    """The items of a single history, rising."""
    order, first, _ = history.group()
    return history.items[order[first]]


def cut_scores(
    items: Whole, scores: Table, seen: NDArray[np.bool_], depth: int, n_items: int
) -> tuple[Whole, Table]:
    """A part's head: the ``depth`` highest items that were not met, and those met that score as
    high, with their shares of the best unmet one's score, or of the best where none is.

    ``scores``: above 0; ``seen``: which of the items were met; ``n_items``: all there are.
    """
    if not len(items):
        return items, scores
    unmet = scores[~seen]
    top = unmet.max(initial=np.float32(0))
    if n_items > depth and len(unmet) > depth:
        kept = scores >= np.partition(unmet, len(unmet) - depth)[len(unmet) - depth]
        items, scores = items[kept], scores[kept]
    return items, scores / (top if top > 0 else scores.max())


def cut_each(scores: Table, seen: Csr, depth: int) -> list[tuple[Whole, Table]]:
    """The head of each row of scores, shape (n_rows, n_items); ``seen``: the items met.

    >>> seen = build_csr(np.ones(1), np.array([0]), np.array([0, 1]), (1, 4))
    >>> [(items, shares)] = cut_each(np.array([[9, 4, 2, 0]], dtype=np.float32), seen, 100)
    >>> items.tolist(), shares.tolist()
    ([0, 1, 2], [2.25, 1.0, 0.5])
    """
    heads, marks = [], np.zeros(scores.shape[1], dtype=np.bool_)
    for at, row in enumerate(scores):  # row by row: a row stays in the cache
        met = seen.indices[seen.indptr[at] : seen.indptr[at + 1]]
        floor = find_floor(row, depth + len(met))
        items = (row >= floor if floor > 0 else row > 0).nonzero()[0]
        marks[met] = True
        known = marks[items]
        marks[met] = False
        heads.append(cut_scores(items, row[items], known, depth, len(row)))
    return heads


def unite(heads: Heads) -> tuple[Whole, Table]:
    """The items of all heads, rising, and what each head says of them, shape (n_heads, n)."""
    items = list_once(np.concatenate([items for items, _ in heads])).astype(np.int64, copy=False)
    said = np.zeros((len(heads), len(items)), dtype=np.float32)
    for row, (own, shares) in zip(said, heads, strict=True):
        row[np.searchsorted(items, own)] = shares
    return items, said


def tell_part(
    part: Scorer, history: Histories, listed: Whole, met: Whole, scratch: Scratch
) -> Vector:
    """What each item met gives to each listed item by a part, shape (n_listed, n_met).

    ``met``: the items of the history, rising; ``listed``: different ones.
    """
    linear = find_linear(part)
    if linear is not None:
        return _tell_linear(linear, history, listed, met, scratch)
    table = np.zeros((len(listed), len(met)))
    given = part.explain(history, listed[None, :])
    owners = np.repeat(np.arange(len(listed)), np.diff(given.indptr))
    np.add.at(table, (owners, np.searchsorted(met, given.indices)), given.data)
    return table


def _tell_linear(
    part: Linear, history: Histories, listed: Whole, met: Whole, scratch: Scratch
) -> Vector:
    items, heard = history.hear(part.heard)
    weights = np.zeros(len(met))
    weights[np.searchsorted(met, items)] = heard
    if _count(part.columns, listed) < _count(part.rows, items):
        return pick_cells(gather_rows(part.columns, listed), met, scratch) * weights
    asked = pick_cells(gather_rows(part.rows, met), listed, scratch)
    return np.ascontiguousarray((asked * weights[:, None]).T)


def pick_cells(cells: Cells, columns: NDArray[np.integer], scratch: Scratch) -> Vector:
    """Some columns of gathered rows, densely: shape (n_rows, n_columns)."""
    places = scratch.locate(cells.columns, columns)
    known = (places >= 0).nonzero()[0]
    owners = cells.ends.searchsorted(known, side="right") - 1
    table = np.zeros((len(cells.ends) - 1, len(columns)))
    table[owners, places[known]] = cells.values[known]
    return table


def keep_columns(cells: Cells, columns: NDArray[np.integer], scratch: Scratch) -> Cells:
    """The cells of these columns, by the places of these."""
    places = scratch.locate(cells.columns, columns)
    known = (places >= 0).nonzero()[0]
    ends = known.searchsorted(cells.ends).astype(cells.ends.dtype)
    return Cells(places[known], cells.values[known], ends)


def share_out_rows(table: Vector, sums: Vector) -> Vector:
    """What is above 0 in each row, scaled to the sum given; rows of no sum become 0."""
    data = np.maximum(table, 0.0)
    found = data.sum(axis=1)
    factors = np.divide(sums, found, out=np.zeros(len(found)), where=found > 0)
    return np.asarray(data * factors[:, None])


def to_rows(table: Vector, columns: Whole, n_columns: int) -> Csr:
    """A table as rows of a wide matrix, its columns standing where ``columns`` says."""
    n = len(table)
    indptr = np.arange(n + 1) * len(columns)
    return build_csr(table.reshape(-1), np.tile(columns, n), indptr, (n, n_columns))


def _count(rows: Rows, chosen: NDArray[np.integer]) -> int:
    return int((rows.indptr[chosen + 1] - rows.indptr[chosen]).sum())
