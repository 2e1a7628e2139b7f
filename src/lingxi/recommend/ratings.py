"""Neighbourhood recommendation from explicit ratings, on a plain array or a SciPy matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from lingxi.errors import InvalidInput, NotTrained, did_you_mean
from lingxi.recommend.matrix import Csr, row_lengths, row_sums, scale, sum_pairs, transpose
from lingxi.recommend.pairs import PAIRS, Similarity
from lingxi.recommend.similarity import find_neighbours

Method = Literal["user", "item"]

_DECIMALS = 12
Ratings = ArrayLike | sparse.sparray | sparse.csr_matrix
"""A table of customers by items: nested lists, a NumPy array or a SciPy sparse matrix."""

_is_sparse: Callable[[object], bool] = sparse.issparse
_to_coo: Callable[..., sparse.coo_array] = sparse.coo_array


@dataclass(frozen=True)
class Rated:
    """An item (or a neighbour) by its index, with its predicted rating (or its similarity)."""

    index: int
    value: float


class NeighbourModel:
    """User-based or item-based collaborative filtering with the K nearest neighbours.

    Parameters
    ----------
    method
        ``"user"``: a customer's neighbours are customers. ``"item"``: an item's are items.
    similarity
        ``"cosine"`` on rows with 0 for what is not rated; ``"pearson"`` over what both rated;
        ``"pearson_zero_filled"`` over everything; ``"adjusted_cosine"`` over what both rated, each
        rating less its column's mean; ``"jaccard"`` and ``"log_likelihood"`` on what was rated at
        all; ``"tfidf"`` and ``"bm25"``, where what many have counts less.
    k
        Neighbours kept: the K most similar with a similarity above 0. Fewer where fewer exist; a
        row is never its own neighbour; equal similarities: the lower index goes first.
    centred
        Predict differences from each neighbour's own mean rating (see below).
    shrinkage
        Similarities are multiplied by ``c / (c + shrinkage)``, c being what both have rated.

    Notes
    -----
    With N the K neighbours, the predicted rating of item i for customer u is the mean of what the
    neighbours say, weighted by similarity:

    - user: ``sum_v s(u,v) r(v,i) / sum_v |s(u,v)|`` over v in N(u) who rated i;
    - item: ``sum_j s(i,j) r(u,j) / sum_j |s(i,j)|`` over j in N(i) that u rated.

    ``centred=True``: ``m(u) + sum_v s(u,v) (r(v,i) - m(v)) / sum_v |s(u,v)|``, m(v) the mean of all
    ratings v gave (Resnick et al. 1994); for items the same with m(i), the mean of all i got.
    Where no neighbour rated the item there is no prediction, and the item is not recommended.

    Examples
    --------
    >>> ratings = [[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 2], [4, 2, 2, 5]]
    >>> model = NeighbourModel("user", "pearson", k=2).fit(ratings)
    >>> model.neighbours(3)
    [Rated(index=2, value=1.0), Rated(index=4, value=1.0)]
    >>> model.recommend(3)
    [Rated(index=2, value=2.0), Rated(index=1, value=1.5)]
    """

    def __init__(
        self,
        method: Method = "user",
        similarity: Similarity = "cosine",
        *,
        k: int = 20,
        centred: bool = False,
        shrinkage: float = 0.0,
    ) -> None:
        if method not in ("user", "item"):
            raise InvalidInput(
                f"There is no method {method!r}{did_you_mean(str(method), ('user', 'item'))}. "
                "Choose 'user' or 'item'."
            )
        _check_count("k", k)
        if similarity not in PAIRS:
            raise InvalidInput(
                f"There is no similarity {similarity!r}{did_you_mean(str(similarity), PAIRS)}. "
                f"Choose one of {', '.join(PAIRS)}."
            )
        if not np.isfinite(shrinkage) or shrinkage < 0:
            raise InvalidInput(f"shrinkage must be a number of at least 0, but is {shrinkage!r}.")
        self.method, self.similarity, self.k, self.centred = method, similarity, k, centred
        self.shrinkage = shrinkage
        self._fitted: _Fitted | None = None

    def fit(self, ratings: Ratings) -> "NeighbourModel":
        """Find every neighbourhood.

        Parameters
        ----------
        ratings
            Shape (n_customers, n_items), dense or sparse; 0 means not rated.

        Raises
        ------
        InvalidInput
            If it is not a table of finite numbers of at least 0, or is empty.
        """
        table = read_ratings(ratings)
        rows = table if self.method == "user" else transpose(table)
        means = row_sums(rows) / np.maximum(row_lengths(rows), 1)
        near = find_neighbours(rows, self.k, self.similarity, shrinkage=self.shrinkage)
        self._fitted = _Fitted(table, near, means)
        return self

    def neighbours(self, index: int) -> list[Rated]:
        """Neighbours of a customer (``method="user"``) or an item, most similar first."""
        near = self._require().near
        _check_index("customer" if self.method == "user" else "item", index, near.shape[0])
        start, stop = near.indptr[index], near.indptr[index + 1]
        others, values = near.indices[start:stop].tolist(), near.data[start:stop].tolist()
        return _ranked(dict(zip(others, values, strict=True)))

    def predict(self, customer: int) -> dict[int, float]:
        """Predicted rating of every item that the customer has not rated and that has one."""
        fitted = self._require()
        ratings = fitted.ratings
        _check_index("customer", customer, ratings.shape[0])
        mine = _dense_row(ratings, customer)
        if self.method == "user":
            weights = _dense_row(fitted.near, customer)
            offsets = np.repeat(fitted.means, row_lengths(ratings))
            said = transpose(scale(ratings, ratings.data - (offsets if self.centred else 0.0)))
            heard = transpose(scale(ratings, np.ones(len(ratings.data))))
            totals, shares = said @ weights, heard @ weights
            base = np.full(len(mine), fitted.means[customer])
        else:
            rated = (mine > 0).astype(np.float64)
            totals = fitted.near @ (mine - rated * (fitted.means if self.centred else 0.0))
            shares, base = fitted.near @ rated, fitted.means
        items = np.flatnonzero((shares > 0) & (mine == 0))
        values = totals[items] / shares[items] + (base[items] if self.centred else 0.0)
        return dict(zip(items.tolist(), np.round(values, _DECIMALS).tolist(), strict=True))

    def recommend(self, customer: int, n: int = 10) -> list[Rated]:
        """The ``n`` items with the highest predicted rating; equal ones: lower index first.

        Items the customer has rated are never among them, so the list may be shorter than ``n``.
        """
        _check_count("n", n)
        return _ranked(self.predict(customer))[:n]

    def _require(self) -> "_Fitted":
        if self._fitted is None:
            raise NotTrained("The model has not seen ratings yet. Call fit(ratings) first.")
        return self._fitted


@dataclass(frozen=True)
class _Fitted:
    ratings: Csr
    near: Csr
    means: NDArray[np.float64]


def recommend_from_ratings(
    ratings: Ratings,
    *,
    method: Method = "user",
    similarity: Similarity = "cosine",
    k: int = 20,
    n: int = 10,
    centred: bool = False,
) -> list[list[Rated]]:
    """Recommendations for every customer of a ratings table: one list each, in row order.

    Parameters are those of ``NeighbourModel``; ``n`` is the length of each list.

    Examples
    --------
    >>> ratings = [[5, 3, 0, 1], [4, 0, 0, 1], [1, 1, 0, 5], [1, 0, 0, 2], [4, 2, 2, 5]]
    >>> lists = recommend_from_ratings(ratings, method="user", similarity="pearson", k=4)
    >>> [[item.index for item in one] for one in lists]
    [[], [1], [2], [2, 1], []]
    """
    _check_count("n", n)
    model = NeighbourModel(method, similarity, k=k, centred=centred).fit(ratings)
    rows = read_ratings(ratings).shape[0]
    return [model.recommend(customer, n) for customer in range(rows)]


def read_ratings(ratings: Ratings) -> Csr:
    """The ratings as float64 CSR without stored zeros, after checking every number.

    Raises
    ------
    InvalidInput
        If they are not a non-empty table of finite numbers of at least 0.
    """
    if _is_sparse(ratings):
        table = _to_coo(ratings)
        rows, columns, values, shape = table.coords[0], table.coords[1], table.data, table.shape
    else:
        try:
            dense = np.asarray(ratings)
        except ValueError as error:
            raise InvalidInput(
                "The ratings must be a table: one row per customer, all rows of the same length."
            ) from error
        shape = dense.shape
        if dense.ndim != 2:
            raise InvalidInput(
                f"The ratings must be a table of customers by items, but have {dense.ndim} "
                "dimension(s). Give one row per customer and one column per item."
            )
        rows, columns = np.indices(shape).reshape(2, -1)
        values = dense.reshape(-1)
    if 0 in shape:
        raise InvalidInput(
            f"The ratings are empty ({shape[0]} customers, {shape[1]} items). "
            "Give at least one customer and one item."
        )
    return sum_pairs(rows, columns, _numbers(values), (int(shape[0]), int(shape[1])))


def _numbers(values: NDArray[np.generic]) -> NDArray[np.float64]:
    if values.dtype.kind not in "iufb":
        raise InvalidInput(
            f"The ratings must be numbers, but are of type {values.dtype}. "
            "Write 0 for what is not rated."
        )
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise InvalidInput(
            "The ratings hold a value that is missing (NaN) or infinite. "
            "Write 0 for what is not rated."
        )
    if (numbers < 0).any():
        raise InvalidInput(
            f"The ratings hold the negative value {numbers.min():g}. Ratings are above 0, and 0 "
            "means not rated; shift the scale if yours goes below."
        )
    return numbers


def _check_count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidInput(f"{name} must be a whole number of at least 1, but is {value!r}.")


def _check_index(what: str, index: int, count: int) -> None:
    if isinstance(index, bool) or not isinstance(index, int | np.integer):
        raise InvalidInput(f"The {what} must be a row number, but is {index!r}.")
    if not 0 <= index < count:
        raise InvalidInput(f"There is no {what} {index}: the table has 0 to {count - 1}.")


def _dense_row(matrix: Csr, row: int) -> NDArray[np.float64]:
    start, stop = matrix.indptr[row], matrix.indptr[row + 1]
    dense = np.zeros(matrix.shape[1])
    dense[matrix.indices[start:stop]] = matrix.data[start:stop]
    return dense


def _ranked(values: dict[int, float]) -> list[Rated]:
    order = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Rated(index, value) for index, value in order]
