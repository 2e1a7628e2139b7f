"""Rows of a sparse matrix gathered and added up for one history, at the cost of what they hold.

SciPy's own product of one row with a matrix prepares arrays as wide as the matrix, and may copy
the whole of it to another type first. Its compiled loops do neither; where this SciPy does not have
them, NumPy does the same, and gives the same numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import Csr, build_csr

try:
    from scipy.sparse import _sparsetools
except ImportError:  # pragma: no cover
    _sparsetools = None

_pick: Callable[..., None] | None = getattr(_sparsetools, "csr_row_index", None)
_add: Callable[..., None] | None = getattr(_sparsetools, "csc_matvec", None)
_add_each: Callable[..., None] | None = getattr(_sparsetools, "csc_matvecs", None)
_multiply: Callable[..., None] | None = getattr(_sparsetools, "csr_matvec", None)
_multiply_each: Callable[..., None] | None = getattr(_sparsetools, "csr_matvecs", None)

Real = TypeVar("Real", np.float32, np.float64)
_SPARSE = 16
"""Columns for each cell, above which cells are looked at rather than all sums."""


@runtime_checkable
class RowOperator(Protocol):
    """What a linear scorer shows so that a single history need not pass through its ``score``.

    ``score(h) = h.weigh(heard) @ operator``, both matrices float32 with sorted columns;
    ``columns`` is the operator's transpose.
    """

    heard: Weighting
    operator: Csr
    columns: Csr


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

    def count(self, rows: NDArray[np.integer]) -> NDArray[np.integer]:
        """How many cells each of these rows has."""
        found: NDArray[np.integer] = self.indptr[rows + 1] - self.indptr[rows]
        return found


@dataclass(frozen=True)
class Cells:
    """The stored cells of some rows, one row after the other; row r ends before ``ends[r + 1]``."""

    columns: NDArray[np.int32]
    values: NDArray[np.floating]
    ends: NDArray[np.int32]

    @property
    def owners(self) -> NDArray[np.int64]:
        """Which of the rows each cell belongs to."""
        return np.repeat(np.arange(len(self.ends) - 1), np.diff(self.ends))


def gather_rows(matrix: Rows, rows: NDArray[np.integer]) -> Cells:
    """The cells of these rows of a matrix of float32."""
    ends = np.zeros(len(rows) + 1, dtype=matrix.indices.dtype)
    np.cumsum(matrix.count(rows), out=ends[1:])
    columns = np.empty(ends[-1], dtype=matrix.indices.dtype)
    values = np.empty(ends[-1], dtype=matrix.data.dtype)
    pick_rows(matrix, rows, columns, values)
    return Cells(columns, values, ends)


def pick_rows(
    matrix: Rows,
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
    values: NDArray[np.floating],
) -> None:
    """Write the cells of these rows, one row after the other, into two arrays of their number."""
    kind = matrix.indices.dtype
    if _pick is not None and matrix.indptr.dtype == kind and columns.dtype == kind:
        chosen = rows.astype(kind)
        _pick(len(rows), chosen, matrix.indptr, matrix.indices, matrix.data, columns, values)
        return
    lengths = matrix.count(rows)
    before = np.cumsum(lengths) - lengths
    places = np.arange(len(columns)) + np.repeat(matrix.indptr[rows] - before, lengths)
    columns[:], values[:] = matrix.indices[places], matrix.data[places]


def list_once(places: NDArray[np.integer]) -> NDArray[np.integer]:
    """The different ones of some places, rising; NumPy's ``unique`` takes several times as long.

    >>> list_once(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(places)
    fresh = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    found: NDArray[np.integer] = ordered[fresh]
    return found


def add_rows(cells: Cells, weights: NDArray[np.float64], sums: NDArray[np.float64]) -> None:
    """Add each row, times its weight, to ``sums``, shape (n_columns,), in the order of the rows."""
    values: NDArray[Any] = cells.values.astype(np.float64, copy=False)
    if _add is not None and cells.ends.dtype == cells.columns.dtype:
        _add(len(sums), len(weights), cells.ends, cells.columns, values, weights, sums)
        return
    own = slice(int(cells.ends[0]), int(cells.ends[-1]))
    each = np.repeat(weights, np.diff(cells.ends))
    np.add.at(sums, cells.columns[own], values[own] * each)


def sum_columns(
    cells: Cells, weights: NDArray[np.float64], n_columns: int
) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    """The columns that the rows hold, rising, and the sum of the rows, each times its weight."""
    sums = np.zeros(n_columns)
    add_rows(cells, weights, sums)
    few = len(cells.columns) * _SPARSE < n_columns
    columns: NDArray[np.integer] = list_once(cells.columns) if few else (sums != 0).nonzero()[0]
    return columns, sums[columns]


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
    sums = add_single(cells, weights.data, matrix.shape[1])
    found: NDArray[np.float64] = sums[columns].astype(np.float64)
    return found


def add_single(cells: Cells, weights: NDArray[np.float32], n_columns: int) -> NDArray[np.float32]:
    """The sum of the rows, each times its weight, in single precision, in the order of the rows."""
    sums: NDArray[np.float32] = add_each(cells, weights[:, None], n_columns)[:, 0]
    return sums


def add_each(cells: Cells, weights: NDArray[np.floating], n_columns: int) -> NDArray[np.floating]:
    """Several weighted sums of the rows at once, in the precision of the cells and in their order.

    ``weights``: shape (n_rows, n_sums); the answer has the shape (n_columns, n_sums).
    """
    kind, n_sums = cells.values.dtype, weights.shape[1]
    told = np.ascontiguousarray(weights, dtype=kind)
    sums = np.zeros((n_columns, n_sums), dtype=kind)
    if _add_each is not None and cells.ends.dtype == cells.columns.dtype:
        ends, columns, values = cells.ends, cells.columns, cells.values
        _add_each(n_columns, len(told), n_sums, ends, columns, values, told, sums)
    else:
        each = np.repeat(told, np.diff(cells.ends), axis=0)
        np.add.at(sums, cells.columns, cells.values[:, None] * each)
    return sums


def multiply_rows(cells: Cells, table: NDArray[Real]) -> NDArray[Real]:
    """The rows times a table, in its precision, shape (n_columns, n): shape (n_rows, n)."""
    n_rows, n = len(cells.ends) - 1, table.shape[1]
    values = cells.values.astype(table.dtype, copy=False)
    product = np.zeros((n_rows, n), dtype=table.dtype)
    ends, columns = cells.ends, cells.columns
    fits = ends.dtype == columns.dtype
    if fits and n == 1 and _multiply is not None:  # in half the time
        own = product.reshape(-1)
        _multiply(n_rows, len(table), ends, columns, values, table.reshape(-1), own)
    elif fits and _multiply_each is not None:
        _multiply_each(n_rows, len(table), n, ends, columns, values, table, product)
    else:
        np.add.at(product, cells.owners, values[:, None] * table[columns])
    return product


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
