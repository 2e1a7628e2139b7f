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
_CONTEXT = 0.75
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


class Embedding(Factored):
    """Items as directions: near are those met in the same surroundings; W(j, i) is the cosine.

    The counts c, both ways, become positive pointwise mutual information with a smoothed context,
    ``max(0, log(c(j, i) · sum(n^0.75) / (n(j) n(i)^0.75)))`` with n the sums of c; its best
    approximation of ``rank`` is ``U S V'``, and an item is its row of ``U S^1/2``, of length 1.

    Source
    ------
    Levy, Goldberg & Dagan (2015), TACL 3, sections 2 and 3.1, as item2vec's exact counterpart.
    """

    def __init__(
        self,
        name: str,
        following: Following = DECAYED,
        *,
        rank: int = 200,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, heard)
        self.following, self.taught, self.rank = following, taught, rank

    def fit(self, taught: Histories) -> None:
        """Count what is met together, and find each item's direction."""
        one_way = count_following(taught, self.following, self.taught)
        counts: Csr = (one_way + transpose(one_way)).tocsr()
        sums = row_sums(counts)
        context = np.where(sums > 0, sums, 1.0) ** _CONTEXT
        owners = np.repeat(np.arange(counts.shape[0]), row_lengths(counts))
        odds = counts.data * context[sums > 0].sum() / (sums[owners] * context[counts.indices])
        information = np.maximum(np.log(np.maximum(odds, 1e-12)), 0.0)
        left, _ = factor(scale(counts, information), self.rank)
        sizes = np.sqrt(np.linalg.norm(left, axis=0))
        directions = left / np.where(sizes > 0, sizes, 1.0)
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        known = lengths > 1e-6 * max(float(lengths.max(initial=0.0)), 1e-30)
        self.left = np.where(known, directions / np.where(known, lengths, 1.0), 0.0)
        self.left = self.left.astype(np.float32)
        self.right = self.left


def _power(sums: NDArray[np.float64], exponent: float) -> Table:
    met = np.where(sums > 0, sums, 1.0) ** exponent
    return np.where(sums > 0, met, 0.0).astype(np.float32)
