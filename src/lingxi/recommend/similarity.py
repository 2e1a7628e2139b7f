"""Similarity of two rows, and of every row with every other: cosine and Pearson.

The plain functions state the formulas on two vectors; ``find_neighbours`` computes the same
numbers for all rows of a sparse matrix and keeps the K nearest of each. Only a similarity above
zero makes a neighbour, and a row is never its own.
"""

from collections.abc import Callable
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    keep_best,
    row_blocks,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)

Similarity = Literal["cosine", "pearson", "pearson_zero_filled"]

_DECIMALS = 12  # similarities that differ by less are equal, so that ties break by index
_FLAT = 1e-12  # variance below this share of the sum of squares is rounding, not variance


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cosine of the angle between two rows, in [-1, 1]; what is not rated counts as 0.

    ``cos(a, b) = sum_i a_i b_i / (sqrt(sum_i a_i^2) sqrt(sum_i b_i^2))``; 0 when a row is empty.

    Source
    ------
    Breese, Heckerman & Kadie (1998), UAI, section 2.1.

    Examples
    --------
    >>> round(cosine(np.array([5.0, 3, 0, 1]), np.array([4.0, 0, 0, 1])), 6)
    0.860916
    """
    length = sqrt(float(a @ a)) * sqrt(float(b @ b))
    return float(a @ b) / length if length > 0 else 0.0


def pearson(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Pearson's correlation over the items that both rated (both not 0), means over these too.

    With C the items rated in both, ``r(a, b) = sum_C (a_i - ā)(b_i - b̄) /
    sqrt(sum_C (a_i - ā)^2 sum_C (b_i - b̄)^2)``, ā and b̄ being means over C. ``None``, which is
    "cannot be known", for fewer than two such items or when either does not vary over them.

    Source
    ------
    Resnick et al. (1994), CSCW, "GroupLens", with means over C.

    Examples
    --------
    >>> pearson(np.array([5.0, 3, 0, 1]), np.array([4.0, 0, 0, 1]))
    1.0
    >>> pearson(np.array([1.0, 1, 0, 5]), np.array([0.0, 2, 3, 0])) is None
    True
    """
    both = (a != 0) & (b != 0)
    if both.sum() < 2:
        return None
    return _correlate(a[both], b[both])


def pearson_zero_filled(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Pearson's correlation over all items, what did not happen counting as 0.

    The form for implicit data (views, purchases), where absence is an observation. ``None`` when
    either row does not vary.

    Examples
    --------
    >>> round(pearson_zero_filled(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 0])), 6)
    0.57735
    """
    return _correlate(a, b)


def _correlate(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    n, x, y = len(a), float(a.sum()), float(b.sum())
    xx, yy = n * float(a @ a), n * float(b @ b)
    spread_x, spread_y = xx - x * x, yy - y * y
    if spread_x <= _FLAT * xx or spread_y <= _FLAT * yy:
        return None
    return (n * float(a @ b) - x * y) / sqrt(spread_x * spread_y)


def find_neighbours(rows: Csr, k: int, similarity: Similarity, *, shrinkage: float = 0.0) -> Csr:
    """The ``k`` most similar other rows of each row, similarity above 0, exactly.

    Parameters
    ----------
    rows
        Shape (n_rows, n_columns), non-negative, no stored zeros.
    k
        Neighbours kept for each row; equal similarities: lower row first.
    shrinkage
        Similarities are multiplied by ``c / (c + shrinkage)``, c being the columns two rows share;
        0 leaves them as they are.

    Returns
    -------
    Csr
        Shape (n_rows, n_rows): row r holds the similarities of r's neighbours, columns sorted.

    Raises
    ------
    InvalidInput
        If the similarity has no such name or ``k`` is below 1.
    """
    if similarity not in _PAIRS:
        raise InvalidInput(
            f"There is no similarity {similarity!r}. Choose one of {', '.join(_PAIRS)}."
        )
    if k < 1:
        raise InvalidInput(f"The number of neighbours k must be at least 1, but is {k}.")
    columns = transpose(rows)
    blocks = []
    for part in row_blocks(rows, columns):
        pairs = _PAIRS[similarity](rows, columns, part)
        if shrinkage > 0:
            shared = _ones(rows)[part] @ _ones(columns)
            pairs.data *= shared.data / (shared.data + shrinkage)
        pairs.data = np.round(pairs.data, _DECIMALS)
        blocks.append(keep_best(drop_self(pairs, part.start), k))
    return stack(blocks, rows.shape[0])


def _ones(matrix: Csr) -> Csr:
    return scale(matrix, np.ones(len(matrix.data)))


def drop_self(pairs: Csr, first: int) -> Csr:
    """Without the cells that are not above 0 and those of a row (the first is ``first``) itself."""
    owners = np.repeat(np.arange(pairs.shape[0]), row_lengths(pairs))
    stays = (pairs.indices != owners + first) & (pairs.data > 0)
    lengths = np.bincount(owners[stays], minlength=pairs.shape[0])
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return build_csr(pairs.data[stays], pairs.indices[stays], indptr, pairs.shape)


def _cosine_pairs(rows: Csr, columns: Csr, part: slice) -> Csr:
    lengths = np.sqrt(row_sums(scale(rows, rows.data**2)))
    products: Csr = rows[part] @ columns
    own = np.repeat(lengths[part], row_lengths(products))
    products.data /= own * lengths[products.indices]
    return products


def _pearson_pairs(rows: Csr, columns: Csr, part: slice) -> Csr:
    # All products below have the same cells in the same order: one pattern of indices, no zeros.
    block, present = rows[part], _ones(rows)[part]
    present_columns = _ones(columns)
    products: Csr = block @ columns
    n = (present @ present_columns).data
    x = (block @ present_columns).data
    y = (present @ columns).data
    xx = (scale(block, block.data**2) @ present_columns).data
    yy = (present @ scale(columns, columns.data**2)).data
    return _put_correlation(products, n, x, y, xx, yy)


def _zero_filled_pairs(rows: Csr, columns: Csr, part: slice) -> Csr:
    # Rows that share nothing correlate below 0 (non-negative data), so the cells are enough.
    sums, squares = row_sums(rows), row_sums(scale(rows, rows.data**2))
    products: Csr = rows[part] @ columns
    counts = row_lengths(products)
    n = np.full(len(products.data), float(rows.shape[1]))
    others = products.indices
    return _put_correlation(
        products,
        n,
        np.repeat(sums[part], counts),
        sums[others],
        np.repeat(squares[part], counts),
        squares[others],
    )


def _put_correlation(
    products: Csr,
    n: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    xx: NDArray[np.float64],
    yy: NDArray[np.float64],
) -> Csr:
    spread_x, spread_y = n * xx - x * x, n * yy - y * y
    known = (n >= 2) & (spread_x > _FLAT * n * xx) & (spread_y > _FLAT * n * yy)
    scaled = np.sqrt(np.where(known, spread_x * spread_y, 1.0))
    products.data = np.where(known, (n * products.data - x * y) / scaled, 0.0)
    return products


_PAIRS: dict[str, Callable[[Csr, Csr, slice], Csr]] = {
    "cosine": _cosine_pairs,
    "pearson": _pearson_pairs,
    "pearson_zero_filled": _zero_filled_pairs,
}
