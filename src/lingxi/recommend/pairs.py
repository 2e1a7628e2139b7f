"""Similarities of many rows of a sparse matrix at once, a block of rows against all."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, build_csr, row_lengths, row_sums, scale

Similarity = Literal[
    "cosine",
    "pearson",
    "pearson_zero_filled",
    "adjusted_cosine",
    "jaccard",
    "tfidf",
    "bm25",
    "log_likelihood",
]

Part = slice | NDArray[np.int64]
"""Which rows are compared with all others."""

_FLAT = 1e-12  # variance below this share of the sum of squares is rounding, not variance
_K1, _B = 1.2, 0.75


def ones(matrix: Csr) -> Csr:
    """The same cells, all 1."""
    return scale(matrix, np.ones(len(matrix.data)))


def prepare(rows: Csr, similarity: Similarity) -> Csr:
    """The weights that are compared: those of TF-IDF and BM25 depend on the whole matrix.

    A row is a document and a column a term: a column that many rows have says little.
    ``tfidf``: ``t log(1 + n / df)``, compared by cosine. ``bm25``: ``log(1 + (n - df + .5) /
    (df + .5)) t (k1 + 1) / (t + k1 (1 - b + b length / mean length))`` with k1 = 1.2 and b = 0.75,
    compared by dot product.

    Source
    ------
    Salton & Buckley (1988), IPM 24(5); Robertson & Zaragoza (2009), FnTIR 3(4).
    """
    if similarity not in ("tfidf", "bm25"):
        return rows
    found, n = count_columns(rows), rows.shape[0]
    if similarity == "tfidf":
        return weigh_tfidf(rows, found, n)
    return weigh_bm25(rows, found, n, mean_length(rows))


def count_columns(rows: Csr) -> NDArray[np.float64]:
    """In how many rows each column is stored, shape (n_columns,)."""
    return np.bincount(rows.indices, minlength=rows.shape[1]).astype(np.float64)


def weigh_tfidf(rows: Csr, found: NDArray[np.float64], n: int) -> Csr:
    """``t · log(1 + n / df)``, so that a column all rows have still counts a little."""
    return scale(
        rows, rows.data * _weigh_columns(rows, found, lambda met: n / np.maximum(met, 1.0))
    )


def mean_length(rows: Csr) -> float:
    """Mean sum of the rows that are not empty, 1 if all are."""
    sums = row_sums(rows)
    return float(sums[sums > 0].mean()) if (sums > 0).any() else 1.0


def weigh_bm25(rows: Csr, found: NDArray[np.float64], n: int, mean: float) -> Csr:
    """BM25's weight of each cell, ``mean`` being the mean length; see ``prepare``."""
    rarity = _weigh_columns(rows, found, lambda met: (n - met + 0.5) / (met + 0.5))
    lengths = np.repeat(1.0 - _B + _B * row_sums(rows) / mean, row_lengths(rows))
    damped = rows.data * (_K1 + 1.0) / (rows.data + _K1 * lengths)
    return scale(rows, damped * rarity)


def _weigh_columns(
    rows: Csr,
    found: NDArray[np.float64],
    ratio: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """``log(1 + ratio)`` of each cell's column; of one history in a wide catalogue not of all."""
    cells = rows.indices
    rarity: NDArray[np.float64] = (
        np.log1p(ratio(found[cells])) if len(cells) < len(found) else np.log1p(ratio(found))[cells]
    )
    return rarity


def drop_self(pairs: Csr, own: int | NDArray[np.int64]) -> Csr:
    """Without the cells that are not above 0 and those of a row itself.

    ``own``: which column each row is; a number if the rows follow each other, the first's.
    """
    columns = own + np.arange(pairs.shape[0]) if isinstance(own, int) else own
    owners = np.repeat(np.arange(pairs.shape[0]), row_lengths(pairs))
    stays = (pairs.indices != columns[owners]) & (pairs.data > 0)
    lengths = np.bincount(owners[stays], minlength=pairs.shape[0])
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return build_csr(pairs.data[stays], pairs.indices[stays], indptr, pairs.shape)


def _cosine_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
    lengths = np.sqrt(row_sums(scale(rows, rows.data**2)))
    products: Csr = rows[part] @ columns
    own = np.repeat(lengths[part], row_lengths(products))
    products.data /= own * lengths[products.indices]
    return products


def _pearson_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
    # All products below have the same cells in the same order: one pattern of indices, no zeros.
    block, present = rows[part], ones(rows)[part]
    present_columns = ones(columns)
    products: Csr = block @ columns
    n = (present @ present_columns).data
    x = (block @ present_columns).data
    y = (present @ columns).data
    xx = (scale(block, block.data**2) @ present_columns).data
    yy = (present @ scale(columns, columns.data**2)).data
    return _put_correlation(products, n, x, y, xx, yy)


def _zero_filled_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
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


def _adjusted_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
    # (x - m)(y - m) taken apart, so that all products have the same cells (see _pearson_pairs).
    counts = np.maximum(row_lengths(columns), 1)
    means = row_sums(columns) / counts
    block = rows[part]
    present, present_columns = ones(block), ones(columns)
    of_column = np.repeat(means, row_lengths(columns))
    by_mean = scale(columns, of_column)  # m for each y
    products: Csr = block @ columns
    x_m = (block @ by_mean).data
    y_m = (present @ scale(columns, columns.data * of_column)).data
    m_m = (present @ scale(columns, of_column**2)).data
    xx = (scale(block, block.data**2) @ present_columns).data
    yy = (present @ scale(columns, columns.data**2)).data
    spread_x, spread_y = xx - 2 * x_m + m_m, yy - 2 * y_m + m_m
    known = (spread_x > _FLAT * xx) & (spread_y > _FLAT * yy)
    scaled = np.sqrt(np.where(known, spread_x * spread_y, 1.0))
    products.data = np.where(known, (products.data - x_m - y_m + m_m) / scaled, 0.0)
    return products


def _jaccard_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
    lengths = row_lengths(rows).astype(np.float64)
    shared: Csr = ones(rows)[part] @ ones(columns)
    own = np.repeat(lengths[part], row_lengths(shared))
    shared.data /= own + lengths[shared.indices] - shared.data
    return shared


def _likelihood_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
    lengths = row_lengths(rows).astype(np.float64)
    shared: Csr = ones(rows)[part] @ ones(columns)
    own = np.repeat(lengths[part], row_lengths(shared))
    shared.data = likelihood(shared.data, own, lengths[shared.indices], float(rows.shape[1]))
    return shared


def likelihood(
    both: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], n: float
) -> NDArray[np.float64]:
    """The log-likelihood ratio of pairs that share ``both`` of ``n``, having ``a`` and ``b``.

    All are counts; the square of a length is one but for its last bit, which here makes infinity.
    """
    both, a, b = np.rint(both), np.rint(a), np.rint(b)
    total = np.zeros(len(both))
    for k, row, column in (
        (both, a, b),
        (a - both, a, n - b),
        (b - both, n - a, b),
        (n - a - b + both, n - a, n - b),
    ):
        filled = k > 0
        chance = (row * column)[filled]
        total[filled] += k[filled] * np.log(k[filled] * n / chance)
    return np.where(both * n > a * b, 2.0 * total, 0.0)


def _dot_pairs(rows: Csr, columns: Csr, part: Part) -> Csr:
    products: Csr = rows[part] @ columns
    return products


PAIRS: dict[str, Callable[[Csr, Csr, Part], Csr]] = {
    "cosine": _cosine_pairs,
    "pearson": _pearson_pairs,
    "pearson_zero_filled": _zero_filled_pairs,
    "adjusted_cosine": _adjusted_pairs,
    "jaccard": _jaccard_pairs,
    "tfidf": _cosine_pairs,
    "bm25": _dot_pairs,
    "log_likelihood": _likelihood_pairs,
}
"""For some rows: their similarity to all rows, cells where nothing is shared left out."""

LOCAL = frozenset(("cosine", "jaccard", "pearson"))
"""Similarities of two rows that depend on nothing but these two."""
