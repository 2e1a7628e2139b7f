"""Graph filters: a history is smoothed over the graph of customers and items.

With ``R^ = D_u^-1/2 X D_i^-1/2`` and ``P = R^' R^``, every filter here leads along the graph: a
step to the items of like-minded customers, two steps taken back (what everybody leads to), and the
part of the history in the largest singular vectors, which holds the broad tastes. Their weights
are tuned together on held-back data (``terms``).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.kernels import score_row, tell_row
from lingxi.recommend.matrix import (
    Csr,
    best_cells,
    build_csr,
    cut_rows,
    densify_scores,
    row_blocks,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)
from lingxi.recommend.memory import GRAPH_CELLS, GRAPH_LISTED
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.recommend.spectrum import Block, find_right_vectors
from lingxi.store import Artefact, ArtefactWriter

TERMS = ("plain", "second", "low", "low_second")
_BLOCK = 512
MOST_MULTIPLIED = 60_000
"""Items up to which a stored model is one operator."""
_ROWS = 128
_ROUNDING = np.float32(1e-6)
_LEAST_PER_VECTOR = 4
"""Customers, and items, for each singular vector: with fewer they are no broad tastes."""


class GraphFilter:
    """``score = x (T + plain P + second P2 + low L + low_second L P)``, linear in the history x.

    - ``T = (D_i^-given X' D_u^-customer X)^power D_i^-wanted``, the power cell by cell, with P's
      sum: the lower ``wanted``, the more the popular are led to;
    - ``P2 = V S^4 V'``, V the first ``rank`` singular vectors of R^: P's square without its tail;
    - ``L = D_i^-1/2 V V' D_i^1/2``: the ideal low-pass.

    The lists of T and P are cut to the largest cells of T where the graph is large; the other
    terms are kept as factors, since they are dense.

    Source
    ------
    Shen et al. (2021), CIKM, GF-CF (linear filter and ideal low-pass); Park et al. (2024), SIGIR,
    Turbo-CF (normalisation and power); Choi et al. (2023), SIGIR, BSPM (a step taken back: with
    ``second`` -t and ``low_second`` -t·low it is one step of sharpening).
    """

    personal = False

    def __init__(
        self,
        name: str,
        *,
        customer: float = 0.6,
        given: float = 0.5,
        wanted: float = 0.4,
        power: float = 1.0,
        rank: int = 448,
        weights: tuple[float, ...] = (0.3, -0.5, 0.3, -0.2),
        length: int = 1000,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        self.name, self.power, self.rank = name, power, rank
        self.customer, self.given, self.wanted = customer, given, wanted
        self.weights, self.length = weights, length
        self.taught, self.heard = taught, heard

    @property
    def bend(self) -> float:
        """How far T keeps from the popular: ``wanted``."""
        return self.wanted

    def fit(self, taught: Histories) -> None:
        """Multiply the graph out, block by block, and find its singular vectors."""
        weights = taught.weigh(self.taught, now=taught.newest)
        customers, items = row_sums(weights), row_sums(transpose(weights))
        even = _normalise(weights, customers, items, 0.5)
        self._items = items
        self._plain, self._sharp = self._multiply(weights, customers, items)
        self._total = float(self._plain.data.sum(dtype=np.float64))
        self._led = np.bincount(self._sharp.indices, self._sharp.data, minlength=len(items))
        self._root = np.sqrt(items).astype(np.float32)
        rank = min(self.rank, max(1, min(even.shape) // _LEAST_PER_VECTOR))
        self._vectors, self._values = find_right_vectors(even, rank)
        self._right = self._vectors.T * self._root
        single = scale(even, even.data.astype(np.float32))
        back = transpose(single)
        self._left_second = np.asarray(back @ (single @ self._right.T), dtype=np.float32)
        self._combine()

    def set_weights(self, weights: tuple[float, ...], bend: float | None = None) -> None:
        """Other weights of the terms, and another ``wanted``; nothing is fitted anew."""
        self.weights = weights
        self.wanted = self.wanted if bend is None else bend
        self._combine()

    def find_bent(self, bend: float) -> NDArray[np.float32]:
        """What each item's score by T is multiplied by where ``wanted`` is another."""
        changed: NDArray[np.float32] = self._damp(bend) / self._damp(self.wanted)
        return changed

    def score_terms(
        self, histories: Histories, items: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        """Each term's scores of some items of each history: T first, then ``TERMS``.

        ``items``: shape (n_rows, n), each row's own; so is each term.
        """
        x = histories.weigh(self.heard)
        yield _take_cells(x @ self._sharp, items) * self._damp(self.wanted)[items]
        yield _take_cells(x @ self._plain, items)
        broad = ((x @ self._vectors) * self._values**4).astype(np.float32)
        yield _multiply_some(broad, self._vectors, items)
        low = (scale(x, x.data * self._inverse_root[x.indices]) @ self._vectors).astype(np.float32)
        yield _multiply_some(low, self._vectors, items) * self._root[items]
        yield _multiply_some(low, self._left_second, items)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        x = histories.weigh(self.heard)
        if histories.n_rows == 1 and self.operator.data.dtype == np.float32:
            scores = score_row(self.operator, x)
        else:
            scores = densify_scores(x @ self.operator)
        if self.left.shape[1]:
            scores += (x @ self.left).astype(np.float32) @ self.right
            _drop_rounding(scores)
        return scores

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to each listed item; see ``Scorer.explain``."""
        x = histories.weigh(self.heard)
        columns: Csr | None = getattr(self, "columns", None)
        if columns is not None and histories.n_rows == 1 and columns.data.dtype == np.float32:
            return tell_row(columns, x, lists.reshape(-1))
        lengths, n = row_lengths(x), lists.shape[1]
        parts, cells = [], []
        for row in range(x.shape[0]):
            place = slice(int(x.indptr[row]), int(x.indptr[row + 1]))
            had = x.indices[place]
            near = np.asarray(self.operator[had][:, lists[row]].toarray(), dtype=np.float64)
            far = self.left[had].astype(np.float64) @ self.right[:, lists[row]]
            parts.append(((near + far) * x.data[place, None]).T.reshape(-1))
            cells.append(np.tile(had, n))
        indptr = np.concatenate(([0], np.cumsum(np.repeat(lengths, n))))
        data = np.concatenate(parts) if parts else np.empty(0)
        indices = np.concatenate(cells) if cells else np.empty(0, dtype=np.int64)
        return build_csr(data, indices, indptr, (lists.size, x.shape[1]))

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write one operator, so that a history costs what its cells cost; nobody's row is in it.

        It holds the ``length`` largest weights of each item, whatever their sign. A catalogue too
        large to multiply out keeps its factors instead.
        """
        del customers
        if self.operator.shape[0] <= MOST_MULTIPLIED:
            operator, (left, right) = self.multiply_out(), self._no_factors()
        else:
            operator, left, right = self.operator, self.left, self.right
        writer.save_csr(f"{prefix}_operator", operator)
        writer.save_csr(f"{prefix}_columns", transpose(operator))
        writer.save_array(f"{prefix}_left", left)
        writer.save_array(f"{prefix}_right", right)
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map them into memory."""
        self.operator = artefact.load_csr(f"{prefix}_operator")
        self.left = artefact.load_array(f"{prefix}_left", np.float32)
        self.right = artefact.load_array(f"{prefix}_right", np.float32)
        if not self.left.shape[1]:
            self.columns = artefact.load_csr(f"{prefix}_columns")  # now an operator and no more
        return NO_CUSTOMERS

    def multiply_out(self) -> Csr:
        """All terms as one operator, the ``length`` largest weights of each item."""
        blocks = []
        for start in range(0, self.operator.shape[0], _BLOCK):
            rows = slice(start, start + _BLOCK)
            dense = densify_scores(self.operator[rows])
            if self.left.shape[1]:
                dense += self.left[rows] @ self.right
                _drop_rounding(dense)
            blocks.append(cut_rows(dense, self.length))
        return stack(blocks, self.operator.shape[1])

    def _no_factors(self) -> tuple[Block, Block]:
        n = self.operator.shape[0]
        return np.empty((n, 0), dtype=np.float32), np.empty((0, n), dtype=np.float32)

    @property
    def _inverse_root(self) -> Block:
        return np.where(self._root > 0, 1.0 / np.where(self._root > 0, self._root, 1.0), 0.0)

    def _damp(self, wanted: float) -> NDArray[np.float32]:
        """``D_i^-wanted`` times what makes T's sum P's."""
        damping = _raise(self._items, -wanted)
        total = float(self._led @ damping)
        return (damping * (self._total / total if total else 1.0)).astype(np.float32)

    def _multiply(
        self, weights: Csr, customers: NDArray[np.float64], items: NDArray[np.float64]
    ) -> tuple[Csr, Csr]:
        """P and T before the last factor over the same cells, each row cut to its largest of T."""
        even = _normalise(weights, customers, items, 0.5)
        even_back = transpose(even)
        owners = np.repeat(_raise(customers, -self.customer / 2), row_lengths(weights))
        forth = scale(weights, weights.data * owners)
        back = transpose(scale(forth, forth.data * _raise(items, -self.given)[forth.indices]))
        damping = _raise(items, -self.wanted)
        length = max(GRAPH_LISTED, GRAPH_CELLS // max(weights.shape[1], 1))
        plain, sharp = [], []
        for part in row_blocks(even_back, even):
            p: Csr = (even_back[part] @ even).sorted_indices()
            t: Csr = (back[part] @ forth).sorted_indices()
            power = t.data**self.power if self.power != 1 else t.data
            stays = best_cells(scale(t, power * damping[t.indices]), length)
            counts = np.add.reduceat(np.append(stays, False), t.indptr[:-1]) * (row_lengths(t) > 0)
            indptr = np.concatenate(([0], np.cumsum(counts)))
            indices = p.indices[stays]
            plain.append(build_csr(p.data[stays].astype(np.float32), indices, indptr, p.shape))
            sharp.append(build_csr(power[stays].astype(np.float32), indices, indptr, p.shape))
        n = weights.shape[1]
        return stack(plain, n), stack(sharp, n)

    def _combine(self) -> None:
        """One operator and one pair of factors from all terms."""
        plain, second, low, low_second = self.weights
        data = self._sharp.data * self._damp(self.wanted)[self._sharp.indices]
        data += np.float32(plain) * self._plain.data
        self.operator = scale(self._sharp, data)
        left: list[NDArray[np.floating]] = []
        right: list[NDArray[np.floating]] = []
        if second:
            left.append(self._vectors * (self._values**4 * np.float32(second)))
            right.append(self._vectors.T)
        if low or low_second:
            left.append(self._vectors * self._inverse_root[:, None])
            right.append(
                np.float32(low) * self._right + np.float32(low_second) * self._left_second.T
            )
        no_left, no_right = self._no_factors()
        self.left = np.hstack([no_left, *left]).astype(np.float32, copy=False)
        self.right = np.vstack([no_right, *right]).astype(np.float32, copy=False)


def _drop_rounding(scores: NDArray[np.float32]) -> None:
    """Set to 0 what single precision leaves of a 0 beside the largest of its row.

    A score above 0 is a recommendation: that of an item which no term reaches would be one of
    rounding.
    """
    least = _ROUNDING * np.maximum(scores.max(axis=1), -scores.min(axis=1))
    scores[np.abs(scores) < least[:, None]] = 0.0


def _take_cells(scores: Csr, items: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.take_along_axis(densify_scores(scores), items, axis=1)


def _multiply_some(rows: Block, factors: Block, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """``rows factors'`` at each row's own items, shape (n_rows, n)."""
    answer = np.empty(items.shape, dtype=np.float32)
    for start in range(0, len(rows), _ROWS):
        block = slice(start, start + _ROWS)
        answer[block] = (factors[items[block]] @ rows[block, :, None])[..., 0]
    return answer


def _normalise(
    weights: Csr, customers: NDArray[np.float64], items: NDArray[np.float64], alpha: float
) -> Csr:
    """``D_u^-alpha X D_i^(alpha - 1)``."""
    owners = np.repeat(_raise(customers, -alpha), row_lengths(weights))
    return scale(weights, weights.data * owners * _raise(items, alpha - 1.0)[weights.indices])


def _raise(sums: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """The power of each sum, 1 where there is nothing."""
    powers: NDArray[np.float64] = np.where(sums > 0, sums, 1.0) ** exponent
    return powers
