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
from lingxi.recommend.memory import MOST_DENSE
from lingxi.recommend.operators import ItemOperator
from lingxi.recommend.similarity import find_neighbours
from lingxi.recommend.systems import Systems

HEAD = 0.9
"""The share of what was met that the items EASE inverts must hold, where it leaves others out."""
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

    Of more than ``MOST_DENSE`` items with events, those that most customers met are taken; the
    others neither speak nor are spoken for.

    Raises
    ------
    InvalidInput
        On fitting, if these hold less than ``HEAD`` of what was met; ``Slim`` has no limit.

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
        """Invert the Gram matrix of the items that have events, or of the most met of them."""
        weights = self._weigh(taught)
        counts = np.bincount(weights.indices, minlength=weights.shape[1])
        met = find_head(counts)
        if share_of_head(counts) < HEAD:
            raise InvalidInput(
                f"{self.name} takes at most {MOST_DENSE} items, and those most met hold "
                f"{share_of_head(counts):.0%} of what was met, less than {HEAD:.0%}. "
                "Choose slim, its sparse form."
            )
        if not len(met):  # LAPACK refuses to invert nothing
            self._keep(_spread_rows(weights[:0], met, weights.shape[1]))
            return
        kept = cut_rows(_invert_symmetric(_multiply(weights[:, met], self.reg)), self.length)
        place = build_csr(kept.data, met[kept.indices], kept.indptr, (len(met), weights.shape[1]))
        self._keep(_spread_rows(place, met, weights.shape[1]))


def find_head(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """The items with events, rising: at most ``MOST_DENSE``, those that most customers met.

    >>> find_head(np.array([3, 0, 1])).tolist()
    [0, 2]
    """
    order = np.argsort(-counts, kind="stable")[:MOST_DENSE]
    return np.sort(order[counts[order] > 0])


def share_of_head(counts: NDArray[np.integer]) -> float:
    """The part of what was met that these items hold, 1 where nothing was."""
    total = float(counts.sum())
    return float(counts[find_head(counts)].sum()) / total if total else 1.0


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
        lengths = row_lengths(near)
        places = np.arange(int(lengths.max(initial=0)))
        filled = places[None, :] < lengths[:, None]
        table = np.full(filled.shape, -1, dtype=np.int64)
        table[filled] = near.indices
        systems = Systems.find(items, table)
        answer = np.zeros(filled.shape)
        order = np.argsort(lengths, kind="stable")
        order = order[lengths[order] > 0]
        start = 0
        while start < len(order):
            width = int(lengths[order[start]])
            rows = order[start : start + max(1, _SAMPLES // width**2)]
            rows = rows[: max(1, _SAMPLES // int(lengths[rows[-1]]) ** 2)]
            width = int(lengths[rows[-1]])
            answer[rows, :width] = systems.solve(rows, filled[rows, :width], self.reg)
            start += len(rows)
        self._keep(transpose(_without_zeros(scale(near, answer[filled]))))


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
