"""Similarity of two rows, and of every row with every other.

The plain functions state the formulas on two vectors; ``find_neighbours`` computes the same
numbers for all rows of a sparse matrix and keeps the K nearest of each. Only a similarity above
zero makes a neighbour, and a row is never its own.
"""

from collections.abc import Iterator
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.matrix import Csr, keep_best, row_blocks, stack, transpose
from lingxi.recommend.pairs import PAIRS, Similarity, drop_self, ones, prepare

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


def adjusted_cosine(
    a: NDArray[np.float64], b: NDArray[np.float64], means: NDArray[np.float64]
) -> float | None:
    """Cosine over what both rated, each rating less the mean of its column.

    For items, a column is a customer: ``sum_C (a_u - m_u)(b_u - m_u) / sqrt(sum_C (a_u - m_u)^2
    sum_C (b_u - m_u)^2)`` over the customers C who rated both, m_u the mean of all u rated.
    ``None`` when either does not differ from the means over C.

    Source
    ------
    Sarwar, Karypis, Konstan & Riedl (2001), WWW10, section 3.1.3.

    Examples
    --------
    >>> a, b = np.array([5.0, 1.0, 0.0]), np.array([4.0, 2.0, 5.0])
    >>> round(adjusted_cosine(a, b, np.array([3.0, 2.5, 4.0])), 6)
    0.98387
    """
    both = (a != 0) & (b != 0)
    x, y = (a - means)[both], (b - means)[both]
    scaled = float(x @ x) * float(y @ y)
    return float(x @ y) / sqrt(scaled) if scaled > 0 else None


def jaccard(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Shared columns over columns of either, in [0, 1]; weights do not matter.

    >>> jaccard(np.array([1.0, 5, 0, 1]), np.array([2.0, 0, 3, 1]))
    0.5
    """
    either = int(((a != 0) | (b != 0)).sum())
    return int(((a != 0) & (b != 0)).sum()) / either if either else 0.0


def log_likelihood(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Dunning's log-likelihood ratio of two rows meeting so often; 0 if not above chance.

    ``G^2 = 2 sum k log(k n / (row · column))`` over the table of columns in both, in one, in none.

    Source
    ------
    Dunning (1993), Computational Linguistics 19(1).

    Examples
    --------
    >>> round(log_likelihood(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 0, 0])), 6)
    5.545177
    """
    n, with_a, with_b = len(a), int((a != 0).sum()), int((b != 0).sum())
    both = int(((a != 0) & (b != 0)).sum())
    if both * n <= with_a * with_b:
        return 0.0
    table = (
        (both, with_a, with_b),
        (with_a - both, with_a, n - with_b),
        (with_b - both, n - with_a, with_b),
        (n - with_a - with_b + both, n - with_a, n - with_b),
    )
    return 2.0 * sum(k * log(k * n / (row * column)) for k, row, column in table if k)


def find_neighbours(
    rows: Csr,
    k: int,
    similarity: Similarity,
    *,
    shrinkage: float = 0.0,
    only: NDArray[np.int64] | None = None,
) -> Csr:
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
    only
        The rows whose neighbours are wanted, by default all; in rising order.

    Returns
    -------
    Csr
        Shape (n_rows, n_rows), or (len(only), n_rows): each row holds the similarities of its
        neighbours, columns sorted.

    Raises
    ------
    InvalidInput
        If the similarity has no such name or ``k`` is below 1.
    """
    if similarity not in PAIRS:
        raise InvalidInput(
            f"There is no similarity {similarity!r}. Choose one of {', '.join(PAIRS)}."
        )
    if k < 1:
        raise InvalidInput(f"The number of neighbours k must be at least 1, but is {k}.")
    compared = compare_rows(rows, similarity, shrinkage, only)
    return stack([keep_best(pairs, k) for _, pairs in compared], rows.shape[0])


def compare_rows(
    rows: Csr, similarity: Similarity, shrinkage: float, only: NDArray[np.int64] | None
) -> Iterator[tuple[NDArray[np.int64], Csr]]:
    """Rows, a block after the other, with their similarity to all others where it is above 0."""
    rows = prepare(rows, similarity)
    columns = transpose(rows)
    wanted = np.arange(rows.shape[0]) if only is None else only
    asked = rows if only is None else rows[only]
    for part in row_blocks(asked, columns):
        own = wanted[part]
        chosen = part if only is None else own
        pairs = PAIRS[similarity](rows, columns, chosen)
        if shrinkage > 0:
            shared = ones(rows)[chosen] @ ones(columns)
            pairs.data *= shared.data / (shared.data + shrinkage)
        pairs.data = np.round(pairs.data, _DECIMALS)
        yield own, drop_self(pairs, own)
