"""Transitions smoothed to a few dimensions, so that items speak for what their like led to."""

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import Csr, build_csr, row_lengths, row_sums, scale, transpose
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.recommend.transitions import DECAYED, Following, count_following, damp
from lingxi.store import Artefact, ArtefactWriter

Table = NDArray[np.float32]
_OVER = 16
_ROUNDS = 4


def factor(matrix: Csr, rank: int, seed: int = 0) -> tuple[Table, Table]:
    """Two tables whose product is about the best approximation of this rank.

    Returns
    -------
    left: shape (n_rows, rank), scaled by the singular values; right: shape (n_columns, rank).

    Source
    ------
    Halko, Martinsson & Tropp (2011), SIAM Review 53(2), algorithms 4.4 and 5.1.
    """
    rank = min(rank, *matrix.shape)
    rng = np.random.default_rng(seed)
    width = min(rank + _OVER, *matrix.shape)
    rows = scale(matrix, matrix.data.astype(np.float32))
    columns: Csr = rows.T.tocsr()
    span = np.linalg.qr(rows @ rng.standard_normal((matrix.shape[1], width), dtype=np.float32))[0]
    for _ in range(_ROUNDS):
        span = np.linalg.qr(columns @ span)[0]
        span = np.linalg.qr(rows @ span)[0]
    inner = (columns @ span).T
    u, s, vt = np.linalg.svd(inner, full_matrices=False)
    left = (span @ u[:, :rank]) * s[:rank]
    return left.astype(np.float32), np.ascontiguousarray(vt[:rank].T, dtype=np.float32)


class Factored:
    """``score(u, i) = sum_j x(u, j) <left(j), right(i)>``: an operator kept as two thin tables."""

    personal = False

    def __init__(self, name: str, heard: Weighting = USUAL) -> None:
        self.name, self.heard = name, heard
        self.left: Table = np.empty((0, 0), dtype=np.float32)
        self.right: Table = self.left

    def score(self, histories: Histories) -> Table:
        """Scores of all items, shape (n_rows, n_items); below 0: rather not."""
        weights = histories.weigh(self.heard)
        seen: Table = scale(weights, weights.data.astype(np.float32)) @ self.left
        scores: Table = seen @ self.right.T
        return scores

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to each listed item; see ``Scorer.explain``."""
        weights = histories.weigh(self.heard)
        n = lists.shape[1]
        lengths = np.repeat(row_lengths(weights), n)
        indptr = np.concatenate(([0], np.cumsum(lengths)))
        parts, columns = [], []
        for row in range(histories.n_rows):
            cells = slice(int(weights.indptr[row]), int(weights.indptr[row + 1]))
            items = weights.indices[cells]
            bonds = self.right[lists[row]] @ self.left[items].T
            parts.append((bonds * weights.data[cells]).reshape(-1))
            columns.append(np.tile(items, n))
        data = np.concatenate(parts) if parts else np.empty(0)
        indices = np.concatenate(columns) if columns else np.empty(0, dtype=np.int32)
        return build_csr(data.astype(np.float64), indices, indptr, (lists.size, weights.shape[1]))

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write both tables; nothing in them belongs to a customer."""
        del customers
        writer.save_array(f"{prefix}_left", self.left)
        writer.save_array(f"{prefix}_right", self.right)
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map both tables into memory."""
        self.left = artefact.load_array(f"{prefix}_left", np.float32)
        self.right = artefact.load_array(f"{prefix}_right", np.float32)
        return NO_CUSTOMERS


class SmoothTransitions(Factored):
    """Transitions by way of their largest singular vectors.

    With c the counts, out and in their sums: ``c(j, i) (out(j) in(i))^-1/2`` is replaced by its
    best approximation of ``rank``, then ``W(j, i) = out(j)^(1/2 - source) · that ·
    in(i)^(1/2 - target)``.

    Parameters
    ----------
    following
        What counts how much; see ``transitions.Following``.
    rank
        Dimensions kept.
    """

    def __init__(
        self,
        name: str,
        following: Following = DECAYED,
        *,
        rank: int = 256,
        source: float = 0.8,
        target: float = 0.2,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, heard)
        self.following, self.taught = following, taught
        self.rank, self.source, self.target = rank, source, target

    def fit(self, taught: Histories) -> None:
        """Count what followed what, and factor it."""
        counts = count_following(taught, self.following, self.taught)
        outward = row_sums(counts)
        inward = row_sums(transpose(counts))
        left, right = factor(damp(counts, 0.5, 0.5), self.rank)
        self.left = np.multiply(left, _power(outward, 0.5 - self.source)[:, None])
        self.right = np.multiply(right, _power(inward, 0.5 - self.target)[:, None])


def _power(sums: NDArray[np.float64], exponent: float) -> Table:
    met = np.where(sums > 0, sums, 1.0) ** exponent
    return np.where(sums > 0, met, 0.0).astype(np.float32)
