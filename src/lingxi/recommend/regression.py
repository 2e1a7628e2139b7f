"""Item-item weights by regression: every item's column predicted from the columns of others.

With all items as predictors and a ridge it is EASE, solved at once by one inverse; with each item's
nearest neighbours as predictors it is SLIM in its ridge form, which is EASE made sparse: one small
system an item, whatever the size of the catalogue.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_lapack_funcs

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import (
    Csr,
    build_csr,
    cut_rows,
    densify_scores,
    row_lengths,
    scale,
    transpose,
)
from lingxi.recommend.operators import ItemOperator
from lingxi.recommend.similarity import find_neighbours

MOST_DENSE = 20_000
"""Items that EASE inverts at once: 1.6 GB; the seconds grow with the cube, half a minute for 12,000
on two cores. Below it, memory and time decide."""
_BLOCK = 512
_SAMPLES = 4_000_000

Routine = Callable[..., tuple[NDArray[np.float32], int]]
_routines: tuple[Routine, Routine] = get_lapack_funcs(("potrf", "potri"), dtype=np.float32)
_factor, _invert = _routines


class Ease(ItemOperator):
    """``W = I - P / diag(P)`` with ``P = (X'X + reg I)^-1``: no item predicts itself.

    Parameters
    ----------
    reg
        The ridge, in units of squared weights: about customers with the item.
    length
        Weights kept of each item: the largest, whatever their sign.

    Raises
    ------
    InvalidInput
        On fitting, if more than ``MOST_DENSE`` items have events; ``Slim`` has no limit.

    Source
    ------
    Steck (2019), WWW, "Embarrassingly shallow autoencoders for sparse data".
    """

    def __init__(
        self,
        name: str,
        *,
        reg: float = 200.0,
        length: int = 1000,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, taught, heard)
        self.reg, self.length = reg, length

    def fit(self, taught: Histories) -> None:
        """Invert the Gram matrix of the items that have events."""
        weights = self._weigh(taught)
        met = np.flatnonzero(np.bincount(weights.indices, minlength=weights.shape[1]))
        if len(met) > MOST_DENSE:
            raise InvalidInput(
                f"{self.name} takes at most {MOST_DENSE} items with events, but there are "
                f"{len(met)}. Choose slim, its sparse form."
            )
        if not len(met):  # LAPACK refuses to invert nothing
            self._keep(_spread_rows(weights[:0], met, weights.shape[1]))
            return
        kept = cut_rows(_invert_symmetric(_multiply(weights[:, met], self.reg)), self.length)
        place = build_csr(kept.data, met[kept.indices], kept.indptr, (len(met), weights.shape[1]))
        self._keep(_spread_rows(place, met, weights.shape[1]))


class Slim(ItemOperator):
    """``w_i = (G_NN + reg I)^-1 G_Ni`` over the ``k`` nearest neighbours N of each item i.

    G is the Gram matrix ``X'X``; neighbours are the nearest by cosine. Weights below 0 are kept.

    Parameters
    ----------
    k
        Predictors of each item.
    reg
        The ridge, in units of squared weights.

    Source
    ------
    Ning & Karypis (2011), ICDM, "SLIM", with neighbours chosen first (fsSLIM) and a ridge only;
    Steck (2019), NeurIPS, "Markov random fields for collaborative filtering", for the link to EASE.
    """

    def __init__(
        self,
        name: str,
        *,
        k: int = 100,
        reg: float = 50.0,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, taught, heard)
        self.k, self.reg = k, reg

    def fit(self, taught: Histories) -> None:
        """Solve one system for each item."""
        items = transpose(self._weigh(taught))
        near = find_neighbours(items, self.k, "cosine")
        gram: Csr = (items @ transpose(items)).tocsr().sorted_indices()
        gram = scale(gram, gram.data.astype(np.float32))
        lengths = row_lengths(near)
        answer = np.zeros(len(near.data))
        order = np.argsort(lengths, kind="stable")
        order = order[lengths[order] > 0]
        start = 0
        while start < len(order):
            width = int(lengths[order[start]])
            stop = start + max(1, _SAMPLES // max(width**2, 1))
            rows = order[start:stop]
            rows = rows[: max(1, _SAMPLES // int(lengths[rows[-1]]) ** 2)]
            self._solve(gram, near, rows, lengths, answer)
            start += len(rows)
        self._keep(transpose(_without_zeros(scale(near, answer))))

    def _solve(
        self,
        gram: Csr,
        near: Csr,
        rows: NDArray[np.int64],
        lengths: NDArray[np.int64],
        answer: NDArray[np.float64],
    ) -> None:
        """The weights of some items, written to the cells of their neighbours."""
        width = int(lengths[rows[-1]])
        places = np.arange(width)
        filled = places[None, :] < lengths[rows][:, None]
        cells = np.where(filled, near.indptr[rows][:, None] + places, 0)
        others = near.indices[cells].astype(np.int64)
        left, right = np.triu_indices(width)
        values = np.asarray(gram[others[:, left].ravel(), others[:, right].ravel()]).ravel()
        system = np.zeros((len(rows), width, width), dtype=np.float32)
        system[:, left, right] = values.reshape(len(rows), -1)
        system[:, right, left] = system[:, left, right]
        system *= filled[:, :, None] & filled[:, None, :]
        diagonal = np.arange(width)
        system[:, diagonal, diagonal] += np.where(filled, self.reg, 1.0)
        wanted = np.asarray(gram[others.ravel(), np.repeat(rows, width)]).reshape(others.shape)
        found = np.linalg.solve(system, (wanted * filled)[:, :, None].astype(np.float32))[:, :, 0]
        answer[cells[filled]] = found[filled]


def _multiply(weights: Csr, reg: float) -> NDArray[np.float32]:
    """``X'X + reg I``, by columns as LAPACK has it; no second matrix of that size is made."""
    items = transpose(weights)
    n = items.shape[0]
    gram = np.empty((n, n), dtype=np.float32, order="F")
    for start in range(0, n, _BLOCK):
        band: Csr = items[start : start + _BLOCK] @ weights
        gram[:, start : start + _BLOCK] = densify_scores(band).T
    gram[np.diag_indices(n)] += np.float32(reg)
    return gram


def _invert_symmetric(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weights of EASE from the Gram matrix with its ridge, in its place."""
    factor, failed = _factor(gram, lower=1, overwrite_a=1)
    if failed:
        raise InvalidInput("The Gram matrix cannot be inverted. Choose a larger reg.")
    inverse, _ = _invert(factor, lower=1, overwrite_c=1)
    diagonal = np.diag(inverse).copy()
    for start in range(0, len(inverse), _BLOCK):  # the other triangle, a band at a time
        stop = min(start + _BLOCK, len(inverse))
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
        corner = inverse[start:stop, start:stop]
        corner[:] = np.tril(corner) + np.tril(corner, -1).T
    inverse /= -diagonal[None, :]
    np.fill_diagonal(inverse, 0.0)
    return inverse


def _spread_rows(rows: Csr, places: NDArray[np.int64], n_rows: int) -> Csr:
    """The rows put at these places, the others empty."""
    lengths = np.zeros(n_rows, dtype=np.int64)
    lengths[places] = row_lengths(rows)
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return build_csr(rows.data, rows.indices, indptr, (n_rows, rows.shape[1]))


def _without_zeros(matrix: Csr) -> Csr:
    stays = matrix.data != 0
    owners = np.repeat(np.arange(matrix.shape[0]), row_lengths(matrix))
    counts = np.bincount(owners[stays], minlength=matrix.shape[0])
    indptr = np.concatenate(([0], np.cumsum(counts)))
    return build_csr(matrix.data[stays], matrix.indices[stays], indptr, matrix.shape)
