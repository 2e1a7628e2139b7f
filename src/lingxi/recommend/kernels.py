"""Rows of a sparse matrix gathered and added up for one history, at the cost of what they hold.

SciPy's own product of one row with a matrix prepares arrays as wide as the matrix, and may copy
the whole of it to another type first. Its compiled loops do neither; where this SciPy does not have
them, NumPy does the same, and gives the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, build_csr

try:
    from scipy.sparse import _sparsetools
except ImportError:  # pragma: no cover
    _sparsetools = None

_pick: Callable[..., None] | None = getattr(_sparsetools, "csr_row_index", None)
_add: Callable[..., None] | None = getattr(_sparsetools, "csc_matvec", None)


@dataclass(frozen=True)
class Rows:
    """The arrays of a matrix by rows, without what NumPy does for arrays mapped from a file."""

    indptr: NDArray[np.integer]
    indices: NDArray[np.int32]
    data: NDArray[np.float32]

    @staticmethod
    def of(matrix: Csr) -> "Rows":
        """The arrays themselves; nothing is copied."""
        parts = (matrix.indptr, matrix.indices, matrix.data)
        return Rows(*(np.asarray(part).view(np.ndarray) for part in parts))


@dataclass(frozen=True)
class Cells:
    """The stored cells of some rows, one row after the other; row r ends before ``ends[r + 1]``."""

    columns: NDArray[np.int32]
    values: NDArray[np.float32]
    ends: NDArray[np.int32]

    @property
    def owners(self) -> NDArray[np.int64]:
        """Which of the rows each cell belongs to."""
        return np.repeat(np.arange(len(self.ends) - 1), np.diff(self.ends))


def gather_rows(matrix: Rows, rows: NDArray[np.integer]) -> Cells:
    """The cells of these rows of a matrix of float32."""
    starts = matrix.indptr[rows]
    lengths = matrix.indptr[rows + 1] - starts
    ends = np.zeros(len(rows) + 1, dtype=matrix.indices.dtype)
    np.cumsum(lengths, out=ends[1:])
    count = int(ends[-1])
    if _pick is None or matrix.indptr.dtype != matrix.indices.dtype:
        places = np.arange(count) + np.repeat(starts - ends[:-1], lengths)
        return Cells(matrix.indices[places], matrix.data[places], ends)
    columns = np.empty(count, dtype=matrix.indices.dtype)
    values = np.empty(count, dtype=matrix.data.dtype)
    chosen = rows.astype(matrix.indices.dtype)
    _pick(len(rows), chosen, matrix.indptr, matrix.indices, matrix.data, columns, values)
    return Cells(columns, values, ends)


def add_rows(cells: Cells, weights: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
    """Add each row, times its weight, to ``sums``, shape (n_columns,), in the order of the rows."""
    values: NDArray[Any] = cells.values.astype(np.float64)
    if _add is not None and cells.ends.dtype == cells.columns.dtype:
        _add(len(sums), len(weights), cells.ends, cells.columns, values, weights, sums)
        return
    np.multiply(values, np.repeat(weights, np.diff(cells.ends)), out=values)
    np.add.at(sums, cells.columns, values)


def score_row(matrix: Csr, weights: Csr) -> NDArray[np.float32]:
    """``weights @ matrix`` for a single row of weights and a matrix of float32.

    The same numbers as the product's, added in double precision.
    """
    sums = np.zeros(matrix.shape[1])
    add_rows(gather_rows(Rows.of(matrix), weights.indices), weights.data, sums)
    return sums.astype(np.float32)[None, :]


def look_along(matrix: Csr, weights: Csr, columns: NDArray[np.integer]) -> NDArray[np.float64]:
    """Some columns of ``weights @ matrix`` for a single row of weights, both of float32.

    The same numbers as the product's, added in single precision.
    """
    cells = gather_rows(Rows.of(matrix), weights.indices)
    sums = np.zeros(matrix.shape[1], dtype=np.float32)
    if _add is not None and cells.ends.dtype == cells.columns.dtype:
        rows = len(weights.data)
        _add(len(sums), rows, cells.ends, cells.columns, cells.values, weights.data, sums)
    else:
        np.add.at(sums, cells.columns, cells.values * np.repeat(weights.data, np.diff(cells.ends)))
    found: NDArray[np.float64] = sums[columns].astype(np.float64)
    return found


def tell_row(columns: Csr, weights: Csr, listed: NDArray[np.integer]) -> Csr:
    """What each cell of a single row of weights gives to listed columns of its product.

    ``columns``: the other factor's transpose. The answer has a row for each listed column.
    """
    n_items = columns.shape[1]
    cells = gather_rows(Rows.of(columns), listed)
    own = np.full(n_items, -1, dtype=np.int32)
    own[weights.indices] = np.arange(len(weights.indices), dtype=np.int32)
    places = own[cells.columns]
    met = (places >= 0).nonzero()[0]
    values = weights.data[places[met]] * cells.values[met]
    indptr = np.searchsorted(met, cells.ends)
    return build_csr(values, cells.columns[met], indptr, (len(listed), n_items))
