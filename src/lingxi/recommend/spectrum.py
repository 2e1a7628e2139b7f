"""The largest singular values of a sparse matrix, by blocks, in single precision."""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.matrix import Csr, scale, transpose

_SPARE = 24
_SEED = 20
Block = NDArray[np.float32]


def find_right_vectors(matrix: Csr, rank: int, *, passes: int = 2) -> tuple[Block, Block]:
    """Right singular vectors, shape (n_columns, rank), and values, falling.

    A random block is multiplied by the matrix and its transpose ``passes`` times; the more passes,
    the nearer to the exact ones. The start is fixed, so the same matrix gives the same answer.
    ``rank`` is lowered to what the matrix can have.

    Source
    ------
    Halko, Martinsson & Tropp (2011), SIAM Review 53(2), algorithm 4.4.

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
    block = rng.standard_normal((rows, width)).astype(np.float32)
    for _ in range(passes):
        block = _orthogonal(single @ _orthogonal(back @ block))
    small = np.asarray(back @ block, dtype=np.float64)
    values, turns = np.linalg.eigh(small.T @ small)
    order = np.argsort(-values)[:rank]
    lengths = np.sqrt(np.maximum(values[order], 0.0))
    vectors = small @ turns[:, order] / np.where(lengths > 0, lengths, 1.0)
    return vectors.astype(np.float32), lengths.astype(np.float32)


def _orthogonal(block: Block) -> Block:
    basis, _ = np.linalg.qr(block)
    return np.asarray(basis, dtype=np.float32)
