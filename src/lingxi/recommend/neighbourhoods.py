"""User-user operators: the score is what the K most similar customers had.

``score(u, i) = sum over v in N(u) of s(u, v) t(v, i)``. With ``s(u, v) = sum_j x(u, j) b(v, j)``
this is linear in the history x for given neighbours, so that it can be explained item by item.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.alone import pick_cells
from lingxi.recommend.among import BLOCK, join_rows
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.kernels import Rows, add_rows, gather_rows, list_once
from lingxi.recommend.latest import Latest
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    densify_scores,
    keep_best,
    row_blocks,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)
from lingxi.recommend.pairs import (
    Similarity,
    count_columns,
    likelihood,
    mean_length,
    ones,
    weigh_bm25,
    weigh_tfidf,
)
from lingxi.recommend.scratch import Scratch
from lingxi.store import Artefact, ArtefactWriter

_DECIMALS = 10
_MANY = 8
"""Rows for each cell, up to which looking at all rows costs less than sorting cells."""
_OF_RATINGS = ("pearson", "adjusted_cosine")


class UserKnn:
    """User-based collaborative filtering over the K nearest customers.

    Parameters
    ----------
    similarity
        ``cosine``: ``b(v, j) = t(v, j) / |t(v)|``. ``pearson_zero_filled``:
        ``b(v, j) = (t(v, j) - m(v)) / |t(v) - m(v)|`` with m(v) the mean over all items. Both leave
        out the customer's own length, the same for all neighbours: neither the neighbours nor the
        order of the items depends on it. ``tfidf`` and ``bm25`` weigh both sides first (see
        ``pairs.prepare``). ``jaccard`` and ``log_likelihood`` look at which items are shared, each
        of which gives an equal part.
    k
        Customers in a neighbourhood; only similarities above 0; equal ones: lower row first.
    shrinkage
        Similarities are multiplied by ``c / (c + shrinkage)``, c being the items shared.

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
        shrinkage: float = 0.0,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        if similarity in _OF_RATINGS:
            raise InvalidInput(
                f"Histories have no ratings to compare by {similarity!r}. "
                "Choose 'cosine' or 'pearson_zero_filled'."
            )
        self.name, self.similarity, self.k, self.shrinkage = name, similarity, k, shrinkage
        self.taught, self.heard = taught, heard
        self._latest = Latest[Csr](BLOCK)

    def fit(self, taught: Histories) -> None:
        """Keep every row, with its mean and length."""
        self._keep(taught.weigh(self.taught, now=taught.newest))

    def _keep(self, taught: Csr) -> None:
        self._latest.clear()
        self._rows = taught
        self._found, self._mean_length = count_columns(taught), mean_length(taught)
        self._profiles = self._compare(taught)
        self._columns = transpose(self._profiles)
        self._by_item, self._scratch = Rows.of(self._columns), Scratch(taught.shape[1])
        n = taught.shape[1]
        sums = row_sums(self._profiles)
        self._means = sums / n if self.similarity == "pearson_zero_filled" else np.zeros(len(sums))
        squares = row_sums(scale(self._profiles, self._profiles.data**2))
        self._lengths = np.sqrt(np.maximum(squares - n * self._means**2, 0.0))

    def find_neighbours(self, histories: Histories) -> Csr:
        """Similarity to each history's K nearest fitted rows, shape (n_histories, n_rows)."""
        found = self._latest.get(histories)
        if found is None:
            if histories.n_rows == 1 and self.shrinkage == 0:
                found = self._find_alone(histories.weigh(self.heard), int(histories.rows[0]))
            else:
                found = self._find(histories.weigh(self.heard), histories.rows)
            self._latest.put(histories, found)
        return found

    def _compare(self, weights: Csr) -> Csr:
        """The weights as they are compared, with what was fitted on."""
        match self.similarity:
            case "tfidf":
                return weigh_tfidf(weights, self._found, self._rows.shape[0])
            case "bm25":
                return weigh_bm25(weights, self._found, self._rows.shape[0], self._mean_length)
            case "jaccard" | "log_likelihood":
                return ones(weights)
        return weights

    def _find(self, histories: Csr, own: NDArray[np.int64]) -> Csr:
        compared = self._compare(histories)
        totals = row_sums(compared)
        blocks = []
        for part in row_blocks(compared, self._columns):
            pairs: Csr = compared[part] @ self._columns
            owners = np.repeat(
                np.arange(part.start, part.start + pairs.shape[0]), row_lengths(pairs)
            )
            others = pairs.indices
            near = self._measure(pairs.data, totals[owners], others)
            if self.shrinkage > 0:
                shared = (ones(compared)[part] @ ones(self._columns)).data
                near = near * shared / (shared + self.shrinkage)
            near = np.round(near, _DECIMALS)
            stays = (near > 0) & (self._lengths[others] > 0) & (others != own[owners])
            counts = np.bincount(owners[stays] - part.start, minlength=pairs.shape[0])
            indptr = np.concatenate(([0], np.cumsum(counts)))
            kept = build_csr(near[stays], others[stays], indptr, pairs.shape)
            blocks.append(keep_best(kept, self.k))
        return stack(blocks, self._rows.shape[0])

    def _find_alone(self, history: Csr, own: int) -> Csr:
        """As ``_find`` for a single row, at the cost of the cells that it touches."""
        compared, n = self._compare(history), self._rows.shape[0]
        cells = gather_rows(self._by_item, compared.indices)
        sums = np.zeros(n)
        add_rows(cells, compared.data, sums)
        others: NDArray[np.integer]
        if _MANY * len(cells.columns) < n:
            others = list_once(cells.columns)
        else:
            others = (sums > 0).nonzero()[0]
        products = self._measure(sums[others], row_sums(compared), others)
        near = np.asarray(np.round(products, _DECIMALS))
        stays = (near > 0) & (self._lengths[others] > 0) & (others != own)
        near, others = near[stays], others[stays]
        if len(near) > self.k:
            level = near >= np.partition(near, len(near) - self.k)[len(near) - self.k]
            near, others = near[level], others[level]
            best = np.sort(np.lexsort((others, -near))[: self.k])
            near, others = near[best], others[best]
        return build_csr(near, others, np.array([0, len(near)]), (1, n))

    def _measure(
        self,
        products: NDArray[np.float64],
        totals: NDArray[np.float64],
        others: NDArray[np.integer],
    ) -> NDArray[np.float64]:
        """Similarities from the products with other rows; ``totals``: the sums of the own rows."""
        lengths = self._lengths[others]
        match self.similarity:
            case "jaccard":
                either = totals + lengths**2 - products  # of ones: lengths² counts them
                return np.asarray(products / either, dtype=np.float64)
            case "log_likelihood":
                return likelihood(products, totals, lengths**2, float(self._rows.shape[1]))
            case "bm25":
                return products
        near = (products - totals * self._means[others]) / np.where(lengths > 0, lengths, 1.0)
        return np.asarray(near, dtype=np.float64)

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_histories, n_items)."""
        near = self.find_neighbours(histories)
        if histories.n_rows > 1:
            return densify_scores(near @ self._rows)
        sums = np.zeros(self._rows.shape[1])
        add_rows(gather_rows(Rows.of(self._rows), near.indices), near.data, sums)
        return sums.astype(np.float32)[None, :]

    def list_scores(self, history: Histories) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See ``Listing``."""
        _, items, scores = self.list_many(history)
        return items, scores

    def list_many(
        self, histories: Histories
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """See ``ListingMany``."""
        near, rows, found = self.find_neighbours(histories), Rows.of(self._rows), []
        for start, stop in pairwise(near.indptr.tolist()):
            cells = gather_rows(rows, near.indices[start:stop])
            items, sums = self._scratch.sum_columns(cells, near.data[start:stop])
            found.append((items, sums.astype(np.float32)))
        return join_rows(found)

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item gives through the neighbours, who are held fixed; see ``Scorer``."""
        weights = histories.weigh(self.heard)
        near, compared = self.find_neighbours(histories), self._compare(weights)
        if histories.n_rows == 1:
            return self._explain_one(compared, near, lists[0])
        parts = [
            self._explain_one(compared[[h]], near[[h]], lists[h]) for h in range(histories.n_rows)
        ]
        return stack(parts, histories.n_items)

    def _explain_one(self, history: Csr, near: Csr, wanted: NDArray[np.int64]) -> Csr:
        others, scratch = near.indices, self._scratch
        had = pick_cells(gather_rows(Rows.of(self._rows), others), wanted, scratch)
        profiles = gather_rows(Rows.of(self._profiles), others)
        shared = pick_cells(profiles, history.indices, scratch)
        bonds = (shared - self._means[others][:, None]) * history.data
        sums = bonds.sum(axis=1)  # above 0, or the row would be no neighbour
        bonds *= (near.data / np.where(sums > 0, sums, 1.0))[:, None]
        given = had.T @ bonds
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
