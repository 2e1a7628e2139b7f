"""Graph filters: a history is smoothed over the graph of customers and items.

A step to the items of like-minded customers and the part of the history in the largest singular
vectors, which holds the broad tastes, are added; then a step of what that leads to is taken back
(what everybody leads to), which sharpens. The weights are tuned together on held-back data
(``terms``).
"""

from collections.abc import Iterable, Iterator
from copy import copy

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.kernels import score_row, tell_row
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    cut_rows,
    densify_scores,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)
from lingxi.recommend.memory import GRAPH_CELLS, GRAPH_LISTED
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.recommend.spectrum import Block, find_right_vectors
from lingxi.recommend.walk import Walk
from lingxi.store import Artefact, ArtefactWriter

TERMS = ("low", "sharpen")
_BLOCK = 512
MOST_MULTIPLIED = 60_000
"""Items up to which a stored model is one operator."""
_ROWS = 128
_ROUNDING = np.float32(1e-6)
_LEAST_PER_VECTOR = 4
"""Customers, and items, for each singular vector: with fewer they are no broad tastes."""


class GraphFilter:
    """``score = x (T + low L) (1 - sharpen P)``, linear in the history x.

    - ``T = D_i^-given X' D_u^-customer X D_i^-wanted``, with P's sum: the lower ``wanted``, the
      more the popular are led to;
    - ``P = R^' R^`` with ``R^ = D_u^-1/2 X D_i^-1/2``: the even step;
    - ``L = D_i^-1/2 V V' D_i^1/2``, V the first ``rank`` singular vectors of R^: the ideal
      low-pass;
    - the last factor is one step of sharpening, by the whole of P and not by its largest singular
      values alone: on Gowalla those below the 448th carry most of what it gains. Up to 0.5 what
      is led to most stays first; more can take the tastes themselves back, where a few of them are
      all there is, so only a bench may say so.

    Until the model is stored all of it is kept as factors, since it is dense: nothing grows with
    the square of the items.

    Source
    ------
    Shen et al. (2021), CIKM, GF-CF (linear filter and ideal low-pass); Park et al. (2024), SIGIR,
    Turbo-CF (normalisation); Choi et al. (2023), SIGIR, BSPM (sharpening after both were merged;
    here one step of Euler's, over T).
    """

    personal = False

    def __init__(
        self,
        name: str,
        *,
        customer: float = 0.6,
        given: float = 0.5,
        wanted: float = 0.3,
        rank: int = 448,
        weights: tuple[float, ...] = (0.3, 0.5),
        length: int = 1000,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        self.name, self.rank = name, rank
        self.customer, self.given, self.wanted = customer, given, wanted
        self.weights, self.length = weights, length
        self.taught, self.heard = taught, heard
        self._step: Walk | None = None

    def fit(self, taught: Histories) -> None:
        """Put the steps together, and find the largest singular vectors."""
        weights = taught.weigh(self.taught, now=taught.newest)
        customers, items = row_sums(weights), row_sums(transpose(weights))
        even = _tilt(weights, customers, items, 0.5, 0.5)
        rank = min(self.rank, max(1, min(even.shape) // _LEAST_PER_VECTOR))
        vectors = taught.once((self.taught, rank), lambda: find_right_vectors(even, rank)[0])
        self._step = Walk.of(even, even)
        forth = _tilt(weights, customers, items, self.customer, self.given)
        tilted = Walk.of(forth, _tilt(weights, customers, items, 0.0, self.wanted))
        total = tilted.total
        self._walk = tilted.times(self._step.total / total if total else 1.0)
        root = np.sqrt(items).astype(np.float32)
        self._far = vectors * np.where(root > 0, 1.0 / np.where(root > 0, root, 1.0), 0.0)[:, None]
        self._near = np.ascontiguousarray((vectors * root[:, None]).T)
        self._near_led = self._step.lead(self._near)
        self.set_weights(self.weights)

    def set_weights(self, weights: tuple[float, ...]) -> None:
        """Other weights of the terms; nothing is fitted anew."""
        self.weights = weights
        low, _ = weights
        n = len(self._far)
        self.left = self._far if low else np.empty((n, 0), dtype=np.float32)
        self.right = np.float32(low) * self._near if low else np.empty((0, n), dtype=np.float32)

    @staticmethod
    def spread(weights: tuple[float, ...]) -> tuple[float, ...]:
        """What each of ``score_terms`` counts for."""
        low, sharpen = weights
        return (1.0, low, -sharpen, -sharpen * low)

    def score_terms(
        self, histories: Histories, items: NDArray[np.int64]
    ) -> Iterator[NDArray[np.float32]]:
        """The scores by T and by L of some items of each history, then one step from each of them.

        ``items``: shape (n_rows, n), each row's own; so is each term.
        """
        x = histories.weigh(self.heard)
        low, led = _project(x, self._far), self._walk.lead(x)
        yield np.take_along_axis(led, items, axis=1)
        yield _multiply_some(low, self._near, items)
        yield np.take_along_axis(self._lead(led), items, axis=1)
        yield _multiply_some(low, self._near_led, items)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        x = histories.weigh(self.heard)
        if self._step is not None:
            scores = self._walk.lead(x)
        elif histories.n_rows == 1 and self.operator.data.dtype == np.float32:
            scores = score_row(self.operator, x)
        else:
            scores = densify_scores(x @ self.operator)
        return self._finish(scores, _project(x, self.left))

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
            parts.append((self._tell(had, lists[row]) * x.data[place, None]).T.reshape(-1))
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
        large for that keeps L as factors beside it.
        """
        del customers
        whole = len(self.left) <= MOST_MULTIPLIED
        operator = self.multiply_out(whole=whole)
        writer.save_csr(f"{prefix}_operator", operator)
        writer.save_csr(f"{prefix}_columns", transpose(operator))
        writer.save_array(f"{prefix}_left", self.left[:, :0] if whole else self.left)
        writer.save_array(f"{prefix}_right", self._sharpen(self.right[:0] if whole else self.right))
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map them into memory."""
        self._step = None  # what was stored has been sharpened
        self.operator = artefact.load_csr(f"{prefix}_operator")
        self.left = artefact.load_array(f"{prefix}_left", np.float32)
        self.right = artefact.load_array(f"{prefix}_right", np.float32)
        if not self.left.shape[1]:
            self.columns = artefact.load_csr(f"{prefix}_columns")  # now an operator and no more
        return NO_CUSTOMERS

    def multiply_out(self, *, whole: bool = True) -> Csr:
        """All terms as one operator, the ``length`` largest weights of each item.

        ``whole``: with L; else of T alone, with fewer weights where items are many.
        """
        n = len(self.left)
        length = self.length if whole else min(self.length, max(GRAPH_LISTED, GRAPH_CELLS // n))
        blocks = (slice(start, start + _BLOCK) for start in range(0, n, _BLOCK))
        return self._multiply_rows(blocks, length, whole=whole)

    def _multiply_rows(
        self, blocks: Iterable[slice | NDArray[np.int64]], length: int, *, whole: bool
    ) -> Csr:
        kept = []
        for rows in blocks:
            broad = self.left[rows] if whole else self.left[rows, :0]
            scores = self._finish(densify_scores(self._walk.multiply_out(rows)), broad)
            kept.append(cut_rows(scores, length))
        return stack(kept, len(self.left))

    def as_stored(self, items: NDArray[np.int64]) -> "GraphFilter":
        """What ``load`` makes of it, with the rows of these items alone.

        A catalogue too large for one operator is answered by factors before and after.
        """
        n = len(self.left)
        if self._step is None or n > MOST_MULTIPLIED:
            return self
        blocks = (items[start : start + _BLOCK] for start in range(0, len(items), _BLOCK))
        some = self._multiply_rows(blocks, self.length, whole=True)
        lengths = np.zeros(n, dtype=np.int64)
        lengths[items] = row_lengths(some)
        indptr = np.concatenate(([0], np.cumsum(lengths)))
        stored = copy(self)
        stored._step, stored.left, stored.right = None, self.left[:, :0], self.right[:0]
        stored.operator = build_csr(some.data, some.indices, indptr, (n, n))
        stored.columns = transpose(stored.operator)
        return stored

    def _finish(self, scores: Block, broad: Block) -> Block:
        """Scores by T, or by what is stored, with those by the factors of L, sharpened."""
        if broad.shape[1]:
            scores += broad @ self.right
            _drop_rounding(scores)
        return self._sharpen(scores)

    def _sharpen(self, scores: Block) -> Block:
        if self._step is None or not self.weights[-1]:
            return scores
        sharpened = self._lead(scores)
        sharpened *= np.float32(-self.weights[-1])
        sharpened += scores
        _drop_rounding(sharpened)
        return sharpened

    def _lead(self, scores: Block) -> Block:
        if self._step is None:
            raise RuntimeError("A stored graph filter keeps no graph.")
        return self._step.lead(scores)

    def _tell(self, had: NDArray[np.integer], listed: NDArray[np.int64]) -> NDArray[np.float64]:
        """What each of some items gives to each listed one, shape (n_had, n_listed)."""
        if self._step is None:
            told = np.asarray(self.operator[had][:, listed].toarray(), dtype=np.float64)
            told += self.left[had].astype(np.float64) @ self.right[:, listed]
            return told
        chosen = np.zeros((len(listed), len(self.left)), dtype=np.float32)
        chosen[np.arange(len(listed)), listed] = 1.0
        last = self._sharpen(chosen)  # P is symmetric
        told = self._walk.turned.lead(last)[:, had].T.astype(np.float64)
        told += self.left[had].astype(np.float64) @ (self.right @ last.T)
        return told


def _project(rows: Csr, factors: Block) -> Block:
    """``rows factors`` in single precision: in double all factors would be copied each time."""
    return np.asarray(scale(rows, rows.data.astype(np.float32)) @ factors)


def _drop_rounding(scores: NDArray[np.float32]) -> None:
    """Set to 0 what single precision leaves of a 0 beside the largest of its row.

    A score above 0 is a recommendation: that of an item which no term reaches would be one of
    rounding.
    """
    least = _ROUNDING * np.maximum(scores.max(axis=1), -scores.min(axis=1))
    scores[np.abs(scores) < least[:, None]] = 0.0


def _multiply_some(rows: Block, factors: Block, items: NDArray[np.int64]) -> NDArray[np.float32]:
    """``rows factors`` at each row's own items, shape (n_rows, n)."""
    answer, turned = np.empty(items.shape, dtype=np.float32), np.ascontiguousarray(factors.T)
    for start in range(0, len(rows), _ROWS):
        block = slice(start, start + _ROWS)
        answer[block] = (turned[items[block]] @ rows[block, :, None])[..., 0]
    return answer


def _tilt(
    weights: Csr,
    customers: NDArray[np.float64],
    items: NDArray[np.float64],
    customer: float,
    item: float,
) -> Csr:
    """``D_u^-customer X D_i^-item``."""
    owners = np.repeat(_raise(customers, -customer), row_lengths(weights))
    return scale(weights, weights.data * owners * _raise(items, -item)[weights.indices])


def _raise(sums: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """The power of each sum, 1 where there is nothing."""
    powers: NDArray[np.float64] = np.where(sums > 0, sums, 1.0) ** exponent
    return powers
