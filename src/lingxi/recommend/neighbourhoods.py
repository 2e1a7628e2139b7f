"""User-user operators: the score is what the K most similar customers had.

``score(u, i) = sum over v in N(u) of s(u, v) t(v, i)``. With ``s(u, v) = sum_j x(u, j) b(v, j)``
this is linear in the history x for given neighbours, so that it can be explained item by item.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
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
from lingxi.recommend.scorer import Vector
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

    def __init__(self, name: str, similarity: Similarity, *, k: int) -> None:
        if similarity not in ("cosine", "pearson_zero_filled"):
            raise InvalidInput(
                f"Histories have no ratings to compare by {similarity!r}. "
                "Choose 'cosine' or 'pearson_zero_filled'."
            )
        self.name, self.similarity, self.k = name, similarity, k

    def fit(self, taught: Csr) -> None:
        """Keep every row, with its mean and length."""
        self._rows = taught
        self._columns = transpose(taught)
        sums, squares = row_sums(taught), row_sums(scale(taught, taught.data**2))
        n = taught.shape[1]
        self._means = sums / n if self.similarity == "pearson_zero_filled" else np.zeros(len(sums))
        self._lengths = np.sqrt(np.maximum(squares - n * self._means**2, 0.0))

    def find_neighbours(self, histories: Csr, own: NDArray[np.int64]) -> Csr:
        """Similarity to each history's K nearest fitted rows, shape (n_histories, n_rows)."""
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
            near = np.round(np.divide(near, lengths, where=lengths > 0), _DECIMALS)
            stays = (near > 0) & (lengths > 0) & (others != own[owners])
            counts = np.bincount(owners[stays] - part.start, minlength=pairs.shape[0])
            indptr = np.concatenate(([0], np.cumsum(counts)))
            kept = build_csr(near[stays], others[stays], indptr, pairs.shape)
            blocks.append(keep_best(kept, self.k))
        return stack(blocks, self._rows.shape[0])

    def score(self, histories: Csr, own: NDArray[np.int64]) -> NDArray[np.float32]:
        """Scores of all items, shape (n_histories, n_items)."""
        return densify_scores(self.find_neighbours(histories, own) @ self._rows)

    def explain(self, items: NDArray[np.int64], weights: Vector, own: int, wanted: int) -> Vector:
        """What each item of the history gives through the neighbours, who are held fixed."""
        indptr = np.array([0, len(items)])
        history = build_csr(weights, items, indptr, (1, self._rows.shape[1]))
        near = self.find_neighbours(history, np.array([own])).indices
        had = densify(self._rows[near][:, [wanted]])[:, 0]
        near, had = near[had > 0], had[had > 0]
        shared = densify(self._rows[near][:, items])
        bonds = (shared - self._means[near][:, None]) / self._lengths[near][:, None]
        given: Vector = weights * (had @ bonds)
        return given

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write one entry per cell, with its customer, so that an erasure can take cells out."""
        owners = np.repeat(customers, row_lengths(self._rows))
        writer.save_array(f"{prefix}_owners", owners)
        writer.save_array(f"{prefix}_items", self._rows.indices.astype(np.int32))
        writer.save_array(f"{prefix}_weights", self._rows.data.astype(np.float32))
        rows = np.repeat(np.arange(self._rows.shape[0]), row_lengths(self._rows))
        writer.save_array(f"{prefix}_rows", rows.astype(np.int32))
        writer.save_array(f"{prefix}_shape", np.array(self._rows.shape, dtype=np.int64))
        whose = f"{prefix}_owners"
        return {f"{prefix}_{name}": whose for name in ("items", "weights", "rows", "owners")}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Read the cells back into rows; each row's customer, -1 for baskets and erased."""
        n_rows, n_items = artefact.load_array(f"{prefix}_shape", np.int64, mmap=False).tolist()
        rows = artefact.load_array(f"{prefix}_rows", np.int32, mmap=False)
        owners = artefact.load_array(f"{prefix}_owners", np.int64)
        indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_rows))))
        data = artefact.load_array(f"{prefix}_weights", np.float32)
        items = artefact.load_array(f"{prefix}_items", np.int32)
        self.fit(build_csr(data.astype(np.float64), items, indptr, (n_rows, n_items)))
        customers = np.full(n_rows, -1, dtype=np.int64)
        customers[rows] = owners
        return customers
