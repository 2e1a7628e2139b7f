"""Implicit matrix factorisation by alternating least squares, with customers folded in when asked.

Only items keep factors: a customer's are solved from the history each time, so an event counts at
once, a visitor is served like anyone, and each item of the history has an exact share of the score.
"""

from collections.abc import Iterator

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


class Als:
    """Factors of items that reproduce who had what, unknown cells counting as 0 with less weight.

    Minimises ``sum over had (1 + c) (1 - p·q)^2 ... `` in the form of Rendle et al.: ``sum_(u,i)
    x(u,i) (p_u·q_i - 1)^2 + unobserved sum_all (p_u·q_i)^2 + reg (sum_u r_u |p_u|^2 + sum_i r_i
    |q_i|^2)`` with ``r_u = (n_u + unobserved n_items)^frequency``, n_u the sum of u's weights, and
    likewise for items.

    Parameters
    ----------
    factors
        Length of a factor.
    reg, frequency
        Regularisation and how it grows with the number of events.
    unobserved
        Weight of a cell in which nothing happened.
    epochs
        Passes over customers and items.

    Source
    ------
    Hu, Koren & Volinsky (2008), ICDM, also for the shares of a history; Rendle, Krichene, Zhang &
    Koren (2022), RecSys, "Revisiting the performance of iALS", for the weights of regularisation.
    """

    personal = False

    def __init__(
        self,
        name: str,
        *,
        factors: int = 64,
        reg: float = 0.003,
        frequency: float = 1.0,
        unobserved: float = 0.1,
        epochs: int = 8,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        self.name, self.factors, self.reg, self.frequency = name, factors, reg, frequency
        self.unobserved, self.epochs = unobserved, epochs
        self.taught, self.heard = taught, heard
        self.items: Factors = np.empty((0, factors), dtype=np.float32)

    def fit(self, taught: Histories) -> None:
        """Alternate; the start is random with a fixed seed."""
        weights = taught.weigh(self.taught, now=taught.newest)
        by_item = transpose(weights)
        rng = np.random.default_rng(_SEED)
        scale = 1.0 / np.sqrt(self.factors)
        items = rng.standard_normal((weights.shape[1], self.factors)).astype(np.float32) * scale
        items[row_lengths(by_item) == 0] = 0.0
        for _ in range(self.epochs):
            rows = self._solve(weights, items)
            items = self._solve(by_item, rows)
        self.items = items
        self._gram = self.unobserved * (items.T @ items)

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
            had, worth = self.items[weights.indices[cells]], weights.data[cells]
            system = self._systems(had[None], worth[None], self._gram)[0]
            wanted = self.items[lists[row]]
            given = (wanted @ np.linalg.solve(system, had.T.astype(np.float64))) * worth
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
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map the factors into memory."""
        self.items = artefact.load_array(f"{prefix}_items", np.float32)
        self._gram = self.unobserved * (self.items.T @ self.items)
        return NO_CUSTOMERS

    def _solve(self, weights: Csr, others: Factors, gram: Factors | None = None) -> Factors:
        """The factors of each row, the others' being given; zeros for a row without events."""
        common = self.unobserved * (others.T @ others) if gram is None else gram
        answer = np.zeros((weights.shape[0], self.factors), dtype=np.float32)
        for rows, cells in _batches(weights, self.factors):
            had, worth = others[weights.indices[cells]], weights.data[cells].astype(np.float32)
            worth[cells < 0] = 0.0
            systems = self._systems(had, worth, common, others.shape[0])
            right = np.einsum("bl,blf->bf", worth, had)[:, :, None]
            answer[rows] = np.linalg.solve(systems, right)[:, :, 0]
        return answer

    def _systems(
        self, had: Factors, worth: NDArray[np.floating], gram: Factors, n_others: int | None = None
    ) -> NDArray[np.floating]:
        count = self.items.shape[0] if n_others is None else n_others
        systems = np.swapaxes(had * worth[:, :, None], 1, 2) @ had + gram
        size = worth.sum(axis=1) + self.unobserved * count
        ridge = self.reg * size**self.frequency
        diagonal = np.arange(self.factors)
        systems[:, diagonal, diagonal] += ridge[:, None]
        return systems


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
