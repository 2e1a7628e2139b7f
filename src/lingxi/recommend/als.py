"""Implicit matrix factorisation by alternating least squares, with customers folded in when asked.

Only items keep factors: a customer's are solved from the history each time, so an event counts at
once, a visitor is served like anyone, and each item of the history has an exact share of the score.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import Csr, build_csr, row_lengths, transpose
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.store import Artefact, ArtefactWriter

Factors = NDArray[np.float32]
_BATCH_CELLS = 16_000_000
_SEED = 20
_CG_STEPS = 3


class Als:
    """Factors of items that reproduce who had what, unknown cells counting as 0 with less weight.

    Minimises ``sum over had (1 + c) (1 - p·q)^2 ... `` in the form of Rendle et al.: ``sum_(u,i)
    x(u,i) (p_u·q_i - 1)^2 + w sum_all (p_u·q_i)^2 + reg (sum_u r_u |p_u|^2 + sum_i r_i |q_i|^2)``
    with ``r_u = (n_u + w n_items)^frequency``, n_u the sum of u's weights, and likewise for items.
    The weight w of a cell in which nothing happened is such that all cells together weigh
    ``unobserved`` times what happened: the emptier the table, the less one of them says.

    Parameters
    ----------
    factors
        Length of a factor.
    reg, frequency
        Regularisation and how it grows with the number of events.
    unobserved
        Weight of all cells alike, as a multiple of the sum of the weights of what happened.
    epochs
        Passes over customers and items.

    Source
    ------
    Hu, Koren & Volinsky (2008), ICDM, also for the shares of a history; Rendle, Krichene, Zhang &
    Koren (2022), RecSys, "Revisiting the performance of iALS", for the weights of regularisation;
    Takács, Pilászy & Tikk (2011), RecSys, for conjugate gradients.
    """

    personal = False

    def __init__(
        self,
        name: str,
        *,
        factors: int = 64,
        reg: float = 0.003,
        frequency: float = 1.0,
        unobserved: float = 20.0,
        epochs: int = 8,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        self.name, self.factors, self.reg, self.frequency = name, factors, reg, frequency
        self.unobserved, self.epochs = unobserved, epochs
        self.taught, self.heard = taught, heard
        self.items: Factors = np.empty((0, factors), dtype=np.float32)
        self._empty = 0.0

    def fit(self, taught: Histories) -> None:
        """Alternate, by a few steps of conjugate gradients each; the start has a fixed seed."""
        weights = taught.weigh(self.taught, now=taught.newest)
        by_item = transpose(weights)
        self._empty = self._weigh_empty(weights, by_item)
        rng = np.random.default_rng(_SEED)
        scale = np.float32(1.0 / np.sqrt(self.factors))
        items = rng.standard_normal((weights.shape[1], self.factors)).astype(np.float32) * scale
        items[row_lengths(by_item) == 0] = 0.0
        rows = np.zeros((weights.shape[0], self.factors), dtype=np.float32)
        for _ in range(self.epochs):
            self._improve(weights, items, rows)
            self._improve(by_item, rows, items)
        self.items = items
        self._gram = self._find_gram(items)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        rows = self._solve(histories.weigh(self.heard), self.items, self._gram)
        scores: NDArray[np.float32] = rows @ self.items.T
        return scores

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """``x(u,j) q_i' A_u^-1 q_j``, A_u being what u's factors were solved with."""
        weights = histories.weigh(self.heard)
        counts = row_lengths(weights)
        n = lists.shape[1]
        parts = []
        for row in range(weights.shape[0]):
            cells = slice(int(weights.indptr[row]), int(weights.indptr[row + 1]))
            had = self.items[weights.indices[cells]].astype(np.float64)
            worth = weights.data[cells]
            system = self._systems(had[None], worth[None], self._gram)[0]
            given = (self.items[lists[row]] @ np.linalg.solve(system, had.T)) * worth
            parts.append(given.reshape(-1))
        data = np.concatenate(parts) if parts else np.empty(0)
        columns = [
            np.tile(weights.indices[weights.indptr[r] : weights.indptr[r + 1]], n)
            for r in range(weights.shape[0])
        ]
        indices = np.concatenate(columns) if columns else np.empty(0, dtype=np.int64)
        indptr = np.concatenate(([0], np.cumsum(np.repeat(counts, n))))
        return build_csr(data, indices, indptr, (lists.size, weights.shape[1]))

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write the items' factors; nothing in them belongs to a customer."""
        del customers
        writer.save_array(f"{prefix}_items", self.items)
        writer.save_array(f"{prefix}_empty", np.array([self._empty]))
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map the factors into memory."""
        self.items = artefact.load_array(f"{prefix}_items", np.float32)
        self._empty = float(artefact.load_array(f"{prefix}_empty", np.float64)[0])
        self._gram = self._find_gram(self.items)
        return NO_CUSTOMERS

    def _weigh_empty(self, weights: Csr, by_item: Csr) -> float:
        """The weight of one cell of the table of those rows and items that have anything."""
        cells = np.count_nonzero(row_lengths(weights)) * np.count_nonzero(row_lengths(by_item))
        return self.unobserved * float(weights.data.sum()) / max(int(cells), 1)

    def _find_gram(self, others: Factors) -> Factors:
        return np.asarray(self._empty * (others.T @ others), dtype=np.float32)

    def _improve(self, weights: Csr, others: Factors, mine: Factors) -> None:
        """Bring each row's factors nearer to their solution, in place."""
        gram = self._find_gram(others)
        for rows, cells in _batches(weights, self.factors):
            had, worth = others[weights.indices[cells]], weights.data[cells].astype(np.float32)
            worth[cells < 0] = 0.0
            ridge = self._ridge(worth, len(others)).astype(np.float32)
            mine[rows] = _descend(_Normal(had, worth, ridge, gram), mine[rows])

    def _solve(self, weights: Csr, others: Factors, gram: Factors) -> Factors:
        """The exact factors of each row, the others' being given; zeros for an empty row."""
        answer = np.zeros((weights.shape[0], self.factors), dtype=np.float32)
        for rows, cells in _batches(weights, self.factors):
            near = others[weights.indices[cells]].astype(np.float64)
            worth = np.where(cells < 0, 0.0, weights.data[cells])
            right = (worth[:, None, :] @ near)[:, 0, :, None]
            systems = self._systems(near, worth, gram)
            answer[rows] = np.linalg.solve(systems, right)[:, :, 0]
        return answer

    def _systems(
        self, had: NDArray[np.floating], worth: NDArray[np.floating], gram: Factors
    ) -> NDArray[np.floating]:
        """The matrix that each row's factors are solved with, shape (n, factors, factors)."""
        systems = np.swapaxes(had * worth[:, :, None], 1, 2) @ had + gram
        diagonal = np.arange(self.factors)
        systems[:, diagonal, diagonal] += self._ridge(worth, len(self.items))[:, None]
        return np.asarray(systems)

    def _ridge(self, worth: NDArray[np.floating], n_others: int) -> NDArray[np.floating]:
        size = worth.sum(axis=1) + self._empty * n_others
        return np.asarray(self.reg * size**self.frequency)


@dataclass(frozen=True)
class _Normal:
    """The normal equations of many rows: ``had`` (n, length, factors), ``worth`` (n, length)."""

    had: Factors
    worth: Factors
    ridge: Factors
    gram: Factors

    @property
    def right(self) -> Factors:
        """What their left side is to be, shape (n, factors)."""
        return np.asarray((self.worth[:, None, :] @ self.had)[:, 0])

    def apply(self, x: Factors) -> Factors:
        """The left side for these factors, shape (n, factors)."""
        met = (self.had @ x[:, :, None])[:, :, 0] * self.worth
        back = (met[:, None, :] @ self.had)[:, 0]
        return np.asarray(back + x @ self.gram + self.ridge[:, None] * x)


def _descend(normal: _Normal, start: Factors) -> Factors:
    """A few steps of conjugate gradients towards the solution, each row by itself."""
    x = start
    rest = normal.right - normal.apply(x)
    way, size = rest, (rest * rest).sum(axis=1, keepdims=True)
    for _ in range(_CG_STEPS):
        turned = normal.apply(way)
        slope = (way * turned).sum(axis=1, keepdims=True)
        step = np.where(slope > 0, size / np.where(slope > 0, slope, 1.0), 0.0)
        x = x + step * way
        rest = rest - step * turned
        fresh = (rest * rest).sum(axis=1, keepdims=True)
        way = rest + np.where(size > 0, fresh / np.where(size > 0, size, 1.0), 0.0) * way
        size = fresh
    return x.astype(np.float32)


def _batches(weights: Csr, factors: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows of like length together, with the places of their cells, -1 where one is shorter."""
    lengths = row_lengths(weights)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        size = factors * (factors + int(lengths[order[start]]))
        stop = start + max(1, _BATCH_CELLS // size)
        longest = int(lengths[order[min(stop, len(order)) - 1]])
        stop = start + max(1, _BATCH_CELLS // (factors * (factors + longest)))
        rows = order[start:stop]
        longest = int(lengths[rows[-1]])
        places = np.arange(longest)[None, :]
        cells = weights.indptr[rows][:, None].astype(np.int64) + places
        yield rows, np.where(places < lengths[rows][:, None], cells, -1)
        start = stop
