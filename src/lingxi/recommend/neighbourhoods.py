"""User-user operators: the score is what the K most similar customers had.

``score(u, i) = sum over v in N(u) of s(u, v) t(v, i)``. With ``s(u, v) = sum_j x(u, j) b(v, j)``
this is linear in the history x for given neighbours, so that it can be explained item by item.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    densify,
    densify_scores,
    keep_best,
    row_blocks,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)
from lingxi.recommend.similarity import Similarity
from lingxi.store import Artefact, ArtefactWriter

_DECIMALS = 10


class UserKnn:
    """User-based collaborative filtering over the K nearest customers.

    Parameters
    ----------
    similarity
        ``cosine``: ``b(v, j) = t(v, j) / |t(v)|``. ``pearson_zero_filled``:
        ``b(v, j) = (t(v, j) - m(v)) / |t(v) - m(v)|`` with m(v) the mean over all items. Both leave
        out the customer's own length, the same for all neighbours: neither the neighbours nor the
        order of the items depends on it.
    k
        Customers in a neighbourhood; only similarities above 0; equal ones: lower row first.

    Source
    ------
    Herlocker, Konstan, Borchers & Riedl (1999), SIGIR, for neighbours given and weights linear.
    """

    personal = True

    def __init__(
        self,
        name: str,
        similarity: Similarity,
        *,
        k: int,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        if similarity not in ("cosine", "pearson_zero_filled"):
            raise InvalidInput(
                f"Histories have no ratings to compare by {similarity!r}. "
                "Choose 'cosine' or 'pearson_zero_filled'."
            )
        self.name, self.similarity, self.k = name, similarity, k
        self.taught, self.heard = taught, heard

    def fit(self, taught: Histories) -> None:
        """Keep every row, with its mean and length."""
        self._keep(taught.weigh(self.taught, now=taught.newest))

    def _keep(self, taught: Csr) -> None:
        self._rows = taught
        self._columns = transpose(taught)
        sums, squares = row_sums(taught), row_sums(scale(taught, taught.data**2))
        n = taught.shape[1]
        self._means = sums / n if self.similarity == "pearson_zero_filled" else np.zeros(len(sums))
        self._lengths = np.sqrt(np.maximum(squares - n * self._means**2, 0.0))

    def find_neighbours(self, histories: Histories) -> Csr:
        """Similarity to each history's K nearest fitted rows, shape (n_histories, n_rows)."""
        return self._find(histories.weigh(self.heard), histories.rows)

    def _find(self, histories: Csr, own: NDArray[np.int64]) -> Csr:
        totals = row_sums(histories)
        blocks = []
        for part in row_blocks(histories, self._columns):
            pairs: Csr = histories[part] @ self._columns
            owners = np.repeat(
                np.arange(part.start, part.start + pairs.shape[0]), row_lengths(pairs)
            )
            others = pairs.indices
            lengths = self._lengths[others]
            near = pairs.data - totals[owners] * self._means[others]
            near = np.round(near / np.where(lengths > 0, lengths, 1.0), _DECIMALS)
            stays = (near > 0) & (lengths > 0) & (others != own[owners])
            counts = np.bincount(owners[stays] - part.start, minlength=pairs.shape[0])
            indptr = np.concatenate(([0], np.cumsum(counts)))
            kept = build_csr(near[stays], others[stays], indptr, pairs.shape)
            blocks.append(keep_best(kept, self.k))
        return stack(blocks, self._rows.shape[0])

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_histories, n_items)."""
        return densify_scores(self.find_neighbours(histories) @ self._rows)

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item gives through the neighbours, who are held fixed; see ``Scorer``."""
        weights = histories.weigh(self.heard)
        near = self._find(weights, histories.rows)
        parts = [
            self._explain_one(weights[[h]], near[[h]].indices, lists[h])
            for h in range(histories.n_rows)
        ]
        return stack(parts, histories.n_items)

    def _explain_one(self, history: Csr, near: NDArray[np.int32], wanted: NDArray[np.int64]) -> Csr:
        rows: Csr = self._rows[near]
        had = densify(rows[:, wanted])
        shared = densify(rows[:, history.indices])
        bonds = (shared - self._means[near][:, None]) / self._lengths[near][:, None]
        given = (had.T @ bonds) * history.data
        cells = np.tile(history.indices, len(wanted))
        indptr = np.arange(len(wanted) + 1) * len(history.indices)
        return build_csr(given.reshape(-1), cells, indptr, (len(wanted), history.shape[1]))

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write the rows and whose they are, so that an erasure can empty a person's row."""
        writer.save_csr(f"{prefix}_rows", self._rows)
        writer.save_array(f"{prefix}_customers", customers)
        return {f"{prefix}_rows": f"{prefix}_customers"}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Read the rows back; each row's customer, -1 for baskets and erased persons."""
        self._keep(artefact.load_csr(f"{prefix}_rows"))
        return artefact.load_array(f"{prefix}_customers", np.int64)
