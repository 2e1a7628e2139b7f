"""The largest singular values of a sparse matrix, by blocks, in single precision."""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, scale, transpose

_SPARE = 24
_SEED = 20
_LEAST = 1e-4
"""Below this part of the longest, what a column adds to the others is too little for single
precision, and the slower decomposition is taken."""
Block = NDArray[np.float32]


def find_right_vectors(matrix: Csr, rank: int, *, passes: int = 3) -> tuple[Block, Block]:
    """Right singular vectors, shape (n_columns, rank), and values, falling.

    A random block is multiplied by the matrix and its transpose ``passes`` times; the more passes,
    the nearer to the exact ones. The start is fixed, so the same matrix gives the same answer.
    ``rank`` is lowered to what the matrix can have.

    Source
    ------
    Halko, Martinsson & Tropp (2011), SIAM Review 53(2), algorithm 4.4; Fukaya et al. (2014), ScalA,
    for the orthogonal basis by Cholesky's decomposition: a tenth of a QR's time.

    Examples
    --------
    >>> from lingxi.recommend.ratings import read_ratings
    >>> vectors, values = find_right_vectors(read_ratings([[3, 0], [0, 1], [0, 0]]), 1)
    >>> np.abs(vectors).round(3).tolist(), values.round(3).tolist()
    ([[1.0], [0.0]], [3.0])
    """
    rows, columns = matrix.shape
    rank = min(rank, rows, columns)
    width = min(rank + _SPARE, rows, columns)
    single = scale(matrix, matrix.data.astype(np.float32))
    back = transpose(single)
    rng = np.random.default_rng(_SEED)
    basis = _orthogonal(back @ rng.standard_normal((rows, width)).astype(np.float32))
    for _ in range(passes):
        basis = _orthogonal(back @ (single @ basis))
    small = np.asarray(single @ basis, dtype=np.float32)
    values, turns = np.linalg.eigh((small.T @ small).astype(np.float64))
    order = np.argsort(-values)[:rank]
    lengths = np.sqrt(np.maximum(values[order], 0.0))
    return basis @ turns[:, order].astype(np.float32), lengths.astype(np.float32)


def _orthogonal(block: Block) -> Block:
    """An orthogonal basis of the columns."""
    gram = (block.T @ block).astype(np.float64)
    try:
        factor = np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        factor = np.zeros((1, 1))
    lengths = np.diagonal(factor)
    if lengths.min(initial=1.0) <= _LEAST * np.sqrt(np.diagonal(gram).max(initial=0.0)):
        basis, _ = np.linalg.qr(block)
        return np.asarray(basis, dtype=np.float32)
    inverse = np.linalg.inv(factor).T.astype(np.float32)
    return np.asarray(block @ inverse, dtype=np.float32)
