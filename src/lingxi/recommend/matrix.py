"""Sparse matrices: building, cutting into blocks of bounded work, keeping the best of each row."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Csr = sparse.csr_array

_csr: Callable[..., Csr] = sparse.csr_array
_sorted: Callable[[Csr], Csr] = sparse.csr_array.sorted_indices
_dense: Callable[[Csr], NDArray[np.float64]] = sparse.csr_array.toarray

_DENSE_ROWS = 512
BLOCK_PRODUCTS = 8_000_000
"""Multiplications in one block of a sparse product: about 200 MB at the worst."""


def build_csr(
    data: NDArray[np.generic],
    indices: NDArray[np.generic],
    indptr: NDArray[np.generic],
    shape: tuple[int, int],
) -> Csr:
    """A CSR matrix over the three arrays; int32 indices where they suffice, nothing else copied."""
    kind = np.int32 if len(data) < 2**31 and max(shape) < 2**31 else np.int64
    cells = (data, indices.astype(kind, copy=False), indptr.astype(kind, copy=False))
    return _csr(cells, shape=shape)


def sum_pairs(
    rows: NDArray[np.integer],
    columns: NDArray[np.integer],
    weights: NDArray[np.floating],
    shape: tuple[int, int],
) -> Csr:
    """The matrix whose cell is the sum of the weights given for it; zero weights are left out."""
    stays = weights != 0
    cells = (weights[stays].astype(np.float64), (rows[stays], columns[stays]))
    return _sorted(_csr(cells, shape=shape))


def densify(matrix: Csr) -> NDArray[np.float64]:
    """All cells of a (small) matrix."""
    return np.asarray(_dense(matrix), dtype=np.float64)


def densify_scores(matrix: Csr) -> NDArray[np.float32]:
    """All cells of a block of scores, as float32; each cell is stored once."""
    cells = scale(matrix, matrix.data.astype(np.float32, copy=False))
    return _dense(cells).astype(np.float32, copy=False)


def scale(matrix: Csr, data: NDArray[np.floating]) -> Csr:
    """The same cells with other weights."""
    return build_csr(data, matrix.indices, matrix.indptr, matrix.shape)


def transpose(matrix: Csr) -> Csr:
    """The transpose, again by rows, with sorted columns."""
    return _sorted(matrix.T.tocsr())


def sort_columns(matrix: Csr) -> Csr:
    """The same matrix with the columns of each row rising."""
    return _sorted(matrix)


def row_lengths(matrix: Csr) -> NDArray[np.int64]:
    """Stored cells of each row, shape (n_rows,)."""
    lengths: NDArray[np.int64] = np.diff(matrix.indptr).astype(np.int64)
    return lengths


def count_ends(owners: NDArray[np.integer], n_rows: int) -> NDArray[np.int64]:
    """The ``indptr`` of cells that come row after row, given each cell's row.

    >>> count_ends(np.array([0, 0, 2]), 3).tolist()
    [0, 2, 2, 3]
    """
    return np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=n_rows)))).astype(np.int64)


def row_sums(matrix: Csr) -> NDArray[np.float64]:
    """Sum of each row, shape (n_rows,)."""
    owners = np.repeat(np.arange(matrix.shape[0]), row_lengths(matrix))
    sums = np.bincount(owners, weights=matrix.data, minlength=matrix.shape[0])
    return sums.astype(np.float64)


def count_steps(left: Csr, right: Csr) -> NDArray[np.float64]:
    """Multiplications that each row of ``left`` takes in ``left @ right``, shape (n_rows,)."""
    lengths = row_lengths(right)
    return row_sums(scale(left, lengths[left.indices].astype(np.float64)))


def row_blocks(left: Csr, right: Csr, products: int = BLOCK_PRODUCTS) -> Iterator[slice]:
    """Slices of ``left``'s rows whose product with ``right`` takes about ``products`` steps."""
    steps = count_steps(left, right)
    ends = np.cumsum(steps)
    start = 0
    while start < len(steps):
        before = ends[start - 1] if start else 0.0
        stop = int(np.searchsorted(ends, before + products, side="right"))
        stop = max(stop, start + 1)
        yield slice(start, stop)
        start = stop


def keep_best(matrix: Csr, k: int) -> Csr:
    """The ``k`` highest weights of each row, columns sorted; equal weights: lower column first.

    What is kept is a copy, so that the larger matrix can be let go of.

    Examples
    --------
    >>> row = build_csr(np.array([1.0, 3, 1]), np.array([7, 5, 2]), np.array([0, 3]), (1, 8))
    >>> keep_best(row, 2).indices.tolist()
    [2, 5]
    """
    stays = best_cells(matrix, k)
    lengths = row_lengths(matrix)
    cut = np.concatenate(([0], np.cumsum(np.minimum(lengths, k))))
    return _sorted(build_csr(matrix.data[stays], matrix.indices[stays], cut, matrix.shape))


def best_cells(matrix: Csr, k: int) -> NDArray[np.bool_]:
    """Which cells are among the ``k`` highest of their row; equal weights: lower column first."""
    lengths = row_lengths(matrix)
    stays = np.ones(len(matrix.data), dtype=np.bool_)
    for row in np.flatnonzero(lengths > k).tolist():  # row by row: a row stays in the cache
        cells = slice(int(matrix.indptr[row]), int(matrix.indptr[row + 1]))
        mark_best(matrix.data[cells], matrix.indices[cells], k, stays[cells])
    return stays


def mark_best(
    weights: NDArray[np.floating],
    columns: NDArray[np.integer],
    k: int,
    stays: NDArray[np.bool_],
) -> None:
    """Write into ``stays`` which cells of a row of more than ``k`` are its highest."""
    if k == 0:
        stays[:] = False
        return
    ordered = weights.copy()
    ordered.partition(len(weights) - k)
    threshold = ordered[len(weights) - k]
    np.greater_equal(weights, threshold, out=stays)
    surplus = np.count_nonzero(stays) - k
    if surplus:
        level = np.flatnonzero(weights == threshold)
        stays[level[np.argsort(columns[level], kind="stable")[len(level) - surplus :]]] = False


def stack(blocks: list[Csr], columns: int) -> Csr:
    """Blocks of rows, one under the other."""
    if not blocks:
        return build_csr(
            np.empty(0), np.empty(0, dtype=np.int32), np.zeros(1, dtype=np.int64), (0, columns)
        )
    data = np.concatenate([b.data for b in blocks])
    indices = np.concatenate([b.indices for b in blocks])
    lengths = np.concatenate([row_lengths(b) for b in blocks])
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return build_csr(data, indices, indptr, (len(lengths), columns))


def put_rows(matrix: Csr, rows: NDArray[np.int64], fresh: Csr) -> Csr:
    """The matrix with these rows replaced, in the order of ``rows``."""
    n = matrix.shape[0]
    both = stack([matrix, fresh], matrix.shape[1])
    source = np.arange(n)
    source[rows] = n + np.arange(len(rows))
    chosen: Csr = both[source]
    return sort_columns(chosen)


def cut_rows(dense: NDArray[np.float32], length: int) -> Csr:
    """The ``length`` largest cells of each row by size, whatever their sign."""
    n = dense.shape[1]
    blocks = []
    for start in range(0, len(dense), _DENSE_ROWS):
        block = dense[start : start + _DENSE_ROWS]
        sizes = np.abs(block)
        if length < n:
            threshold = np.partition(sizes, n - length, axis=1)[:, n - length, None]
            sizes[sizes < threshold] = 0.0
        rows, columns = np.nonzero(sizes)
        counts = np.bincount(rows, minlength=len(block))
        indptr = np.concatenate(([0], np.cumsum(counts)))
        cells = build_csr(block[rows, columns], columns, indptr, block.shape)
        blocks.append(cells)
    return stack(blocks, n)
