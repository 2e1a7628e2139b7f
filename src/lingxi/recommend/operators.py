"""Item-item operators: the score is a weighted history times one sparse matrix.

``score(u, i) = sum_j x(u, j) W(j, i)``, x(u, j) being the weight of item j in the history and row
j of W the list of j. An event counts at once, and each term of the sum is what one item gave.
"""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotTrained
from lingxi.recommend.earlier import Earlier
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.kernels import score_row, tell_row
from lingxi.recommend.known import Known
from lingxi.recommend.matrix import (
    Csr,
    densify_scores,
    keep_best,
    row_blocks,
    row_lengths,
    row_sums,
    scale,
    stack,
    transpose,
)
from lingxi.recommend.pairs import LOCAL, Similarity, drop_self
from lingxi.recommend.renewal import update_neighbours
from lingxi.recommend.similarity import find_neighbours
from lingxi.store import Artefact, ArtefactWriter

NO_CUSTOMERS: NDArray[np.int64] = np.empty(0, dtype=np.int64)


class ItemOperator:
    """What item-item models share: the operator, scoring, explaining, saving and loading."""

    personal = False

    def __init__(self, name: str, taught: Weighting = USUAL, heard: Weighting = USUAL) -> None:
        self.name, self.taught, self.heard = name, taught, heard
        self.operator: Csr = stack([], 0)
        self.columns: Csr = self.operator
        """The operator's transpose: row i holds what each item gives to item i."""

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items)."""
        weights = histories.weigh(self.heard)
        if histories.n_rows == 1 and self.operator.data.dtype == np.float32:
            return score_row(self.operator, weights)
        return densify_scores(weights @ self.operator)

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """What each item of each history gives to each listed item; see ``Scorer.explain``."""
        weights = histories.weigh(self.heard)
        if histories.n_rows == 1 and self.columns.data.dtype == np.float32:
            return tell_row(self.columns, weights, lists.reshape(-1))
        wanted: Csr = self.columns[lists.reshape(-1)]
        had: Csr = weights[np.repeat(np.arange(weights.shape[0]), lists.shape[1])]
        given: Csr = (had * wanted).tocsr()
        return given

    def similar(self, item: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The list of one item: other items in rising order, and their weights."""
        start, stop = self.operator.indptr[item], self.operator.indptr[item + 1]
        return self.operator.indices[start:stop], self.operator.data[start:stop]

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write the operator; nothing in it belongs to a customer."""
        del customers
        writer.save_csr(f"{prefix}_operator", self.operator)
        writer.save_csr(f"{prefix}_columns", self.columns)
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Map the operator into memory."""
        self.operator = artefact.load_csr(f"{prefix}_operator")
        self.columns = artefact.load_csr(f"{prefix}_columns")
        return NO_CUSTOMERS

    def _weigh(self, taught: Histories) -> Csr:
        """What it learns from, shape (n_rows, n_items)."""
        return taught.weigh(self.taught, now=taught.newest)

    def _keep(self, operator: Csr) -> None:
        self.operator = scale(operator, operator.data.astype(np.float32))
        self.columns = transpose(self.operator)


class ListedOperator(ItemOperator):
    """One whose fit ends with the ``length`` highest weights of each row."""

    length: int

    def cut(self, length: int) -> None:
        """Keep no more than so many of each row: what a fit with that length gives."""
        self.length = length
        self._keep(keep_best(self.operator, length))


class ItemKnn(ListedOperator):
    """Item-based collaborative filtering: W(j, i) is the similarity of items j and i.

    Parameters
    ----------
    similarity
        ``cosine``, or ``pearson_zero_filled`` (histories are implicit data).
    k
        Neighbours of each item i that speak for it: its K nearest items j.
    length
        Longest list kept of an item j: the items it speaks for most.
    shrinkage
        Lowers similarities that few customers support, by ``c / (c + shrinkage)``.

    Source
    ------
    Sarwar et al. (2001), WWW10; Deshpande & Karypis (2004), ACM TOIS 22(1).
    """

    def __init__(
        self,
        name: str,
        similarity: Similarity = "cosine",
        *,
        k: int = 200,
        length: int = 200,
        shrinkage: float = 0.0,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, taught, heard)
        self.similarity, self.k, self.length, self.shrinkage = similarity, k, length, shrinkage
        self._known: Known | None = None
        self._near = self.operator
        self._earlier: tuple[Csr, NDArray[np.bool_]] | None = None

    def remember(self, earlier: Earlier, prefix: str) -> None:
        """The neighbours of the last fit, which ``fit`` takes over where they cannot differ."""
        if self.similarity in LOCAL:
            near = earlier.load(f"{prefix}_near")
            self._earlier = None if near is None else (near, earlier.changed)

    def fit(self, taught: Histories) -> None:
        """Find each item's nearest items."""
        known = Known.of(taught, self.taught)
        held, self._earlier = self._earlier, None
        self._learn(known, held)

    def update(self, before: Histories, after: Histories) -> None:
        """Put changed rows in; only items whose neighbours can differ are compared again.

        Exactly what a fit on everything gives. After ``load`` the rows are not there: fit first.
        """
        if self._known is None:
            raise NotTrained("The rows that were learnt from are not kept in a file. Fit anew.")
        known, touched = self._known.put(before, after, self.taught)
        changed = np.zeros(known.n_items, dtype=np.bool_)
        changed[touched] = True
        same_items = self.similarity in LOCAL and known.n_items == self._known.n_items
        self._learn(known, (self._near, changed) if same_items else None)

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write the operator, and each item's neighbours as the next fit may take them over."""
        if self.similarity in LOCAL and self._near.shape == self.operator.shape:
            writer.save_csr(f"{prefix}_near", self._near)
        return super().save(writer, prefix, customers)

    def _learn(self, known: Known, held: tuple[Csr, NDArray[np.bool_]] | None) -> None:
        """Neighbours from the weights; ``held``: those there were, and whose weights are others."""
        items = transpose(known.weights)
        if held is None:
            near = find_neighbours(items, self.k, self.similarity, shrinkage=self.shrinkage)
        else:
            near = update_neighbours(
                items, *held, self.k, self.similarity, shrinkage=self.shrinkage
            )
        self._known, self._near = known, near
        self._keep(keep_best(transpose(near), self.length))


class Rp3Beta(ListedOperator):
    """A walk of three steps: from an item to its customers to their items, popularity damped.

    ``W(j, i) = sum_u p(j→u)^alpha p(u→i)^alpha / d(i)^beta``, with
    ``p(j→u) = t(u,j) / sum_u t(u,j)``, ``p(u→i) = t(u,i) / sum_i t(u,i)`` and d(i) the sum of item
    i's weights. The ``k`` highest of each row are kept and divided by their sum, then the ``k``
    highest of each column, then the ``length`` highest of each row.

    Source
    ------
    Paudel, Christoffel, Newell & Bernstein (2017), ACM TiiS 7(1); both cuts and the division as
    in Anelli et al. (2023), RecSys, "Challenging the Myth of Graph Collaborative Filtering".
    """

    def __init__(
        self,
        name: str,
        *,
        k: int = 500,
        alpha: float = 0.6,
        beta: float = 0.2,
        length: int = 200,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, taught, heard)
        self.k, self.alpha, self.beta, self.length = k, alpha, beta, length

    def fit(self, taught: Histories) -> None:
        """Walk from every item."""
        weights = self._weigh(taught)
        items = transpose(weights)
        popularity = row_sums(items)
        damping = np.where(popularity > 0, popularity, 1.0) ** -self.beta
        back, forth = self._steps(items), self._steps(weights)
        forth = scale(forth, forth.data * damping[forth.indices])
        blocks = []
        for part in row_blocks(back, forth):
            walked: Csr = back[part] @ forth
            near = keep_best(drop_self(walked, part.start), self.k)
            blocks.append(_share_out(near))  # float32: 8 bytes a cell
        both = keep_best(transpose(stack(blocks, taught.n_items)), self.k)
        self._keep(keep_best(transpose(both), self.length))

    def _steps(self, rows: Csr) -> Csr:
        sums = np.repeat(row_sums(rows), row_lengths(rows))
        return scale(rows, (rows.data / sums) ** self.alpha)


def _share_out(rows: Csr) -> Csr:
    sums = np.repeat(row_sums(rows), row_lengths(rows))
    return scale(rows, (rows.data / sums).astype(np.float32))
