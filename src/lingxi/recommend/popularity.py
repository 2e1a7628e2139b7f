"""What everyone has, what has become wanted, what is new: the baseline and its kin."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData, NotTrained
from lingxi.recommend.factors import find_trend
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.known import Known
from lingxi.recommend.matrix import Csr, build_csr, sum_pairs
from lingxi.recommend.operators import NO_CUSTOMERS, ListedOperator
from lingxi.recommend.scorer import Vector
from lingxi.store import Artefact, ArtefactWriter


class SameForAll:
    """Scores of items alone: what every such model shares."""

    personal = False

    def __init__(self, name: str, taught: Weighting = USUAL) -> None:
        self.name, self.taught = name, taught
        self.weights: Vector = np.empty(0)
        self._listed: tuple[Vector, NDArray[np.int64], NDArray[np.float32]] | None = None

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """The same scores for every history."""
        shape = (histories.n_rows, len(self.weights))
        return np.broadcast_to(self.weights.astype(np.float32), shape)

    def list_scores(self, _history: Histories) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See ``Listing``; the same arrays each time, not to be written to."""
        held = self._listed
        if held is None or held[0] is not self.weights:
            scores = self.weights.astype(np.float32)
            items = np.flatnonzero(scores > 0)
            held = self._listed = (self.weights, items, scores[items])
        return held[1], held[2]

    def explain(self, histories: Histories, lists: NDArray[np.int64]) -> Csr:
        """Empty rows: nothing of it comes from the history."""
        rows = lists.size
        nothing = np.zeros(rows + 1, dtype=np.int64)
        shape = (rows, histories.n_items)
        return build_csr(np.empty(0), np.empty(0, dtype=np.int32), nothing, shape)

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write one number per item."""
        del customers
        writer.save_array(f"{prefix}_popularity", self.weights)
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Read them."""
        self.weights = artefact.load_array(f"{prefix}_popularity", np.float64)
        return NO_CUSTOMERS

    def _keep(self, sums: Vector) -> None:
        """As shares of the highest."""
        top = float(sums.max(initial=0.0))
        self.weights = sums / top if top > 0 else sums


class Popularity(SameForAll):
    """The sum of each item's weights, as a share of the most popular item's.

    Fitted on weights that fade with age it is "popular now".

    Examples
    --------
    >>> from lingxi.recommend.ratings import read_ratings
    >>> popularity = Popularity("popularity")
    >>> popularity.fit(Histories.of_matrix(read_ratings([[1, 1, 0], [1, 0, 0]])))
    >>> popularity.weights.tolist()
    [1.0, 0.5, 0.0]
    """

    def __init__(self, name: str, taught: Weighting = USUAL) -> None:
        super().__init__(name, taught)
        self._known: Known | None = None

    def fit(self, taught: Histories) -> None:
        """Add up the columns."""
        self._known = Known.of(taught, self.taught)
        self._share(self._known)

    def update(self, before: Histories, after: Histories) -> None:
        """Put changed rows in: exactly what a fit on everything gives."""
        if self._known is None:
            raise NotTrained("The rows that were learnt from are not kept in a file. Fit anew.")
        self._known, _ = self._known.put(before, after, self.taught)
        self._share(self._known)

    def _share(self, known: Known) -> None:
        weights = known.weights
        counts = np.bincount(weights.indices, weights=weights.data, minlength=weights.shape[1])
        self._keep(counts.astype(np.float64))


class Trending(SameForAll):
    """What is wanted more now than it was: demand of late times its ratio to demand of all time.

    ``r(i) · ((r(i) + cρ) / (n(i) + c)) / ρ``, r fading by ``half_life`` days, n not, ρ the ratio
    of both over all items: see ``factors.find_trend``. An item that was always popular comes after
    one that has become so.
    """

    def __init__(self, name: str, *, half_life: float = 7.0, taught: Weighting = USUAL) -> None:
        super().__init__(name, taught)
        self.half_life = half_life

    def fit(self, taught: Histories) -> None:
        """Compare lately with always."""
        recent = taught.popularity(replace(self.taught, half_life_days=self.half_life))
        self._keep(recent * find_trend(taught, 1.0, self.half_life))


class NewArrivals(SameForAll):
    """The latest items first: ``2^(-days since it was first met / half_life) · log2(1 + met)``.

    met: customers who met it. So of equally new items the more wanted comes first.
    """

    def __init__(self, name: str, *, half_life: float = 14.0, taught: Weighting = USUAL) -> None:
        super().__init__(name, taught)
        self.half_life = half_life

    def fit(self, taught: Histories) -> None:
        """Find when each item was first met."""
        met = np.bincount(taught.seen().indices, minlength=taught.n_items)
        first = np.full(taught.n_items, taught.newest, dtype=np.int64)
        np.minimum.at(first, taught.items, taught.moments)
        days = (taught.newest - first) / DAY
        self._keep(np.exp2(-days / self.half_life) * np.log2(1.0 + met))


class CategoryPopularity(ListedOperator):
    """The popular items of the categories that the customer knows, the more they know them.

    ``W(j, i)`` is i's share of the demand for j's narrowest category, 0 for i of another and for j
    itself; the ``length`` most popular of each category are kept. An operator like all others, so
    an event counts at once and reasons are exact.
    """

    def __init__(
        self,
        name: str,
        *,
        length: int = 100,
        taught: Weighting = USUAL,
        heard: Weighting = USUAL,
    ) -> None:
        super().__init__(name, taught, heard)
        self.length = length

    def fit(self, taught: Histories) -> None:
        """Rank each category.

        Raises
        ------
        NotEnoughData
            If no item's category is known.
        """
        groups = taught.groups
        if groups is None:
            raise NotEnoughData(f"{self.name} needs the items' categories, and none is known.")
        demand = taught.popularity(self.taught)
        known = np.flatnonzero((groups >= 0) & (demand > 0))
        order = known[np.lexsort((known, -demand[known], groups[known]))]
        n_groups = int(groups.max(initial=-1)) + 1
        starts = np.searchsorted(groups[order], np.arange(n_groups + 1))
        totals = np.bincount(groups[known], weights=demand[known], minlength=n_groups)
        heads = [order[a:b][: self.length] for a, b in pairwise(starts.tolist())]
        rows, columns = [], []
        for item in np.flatnonzero(groups >= 0).tolist():
            head = heads[groups[item]]
            rows.append(np.full(len(head), item))
            columns.append(head)
        nothing = np.empty(0, dtype=np.int64)
        owners, items = np.concatenate([nothing, *rows]), np.concatenate([nothing, *columns])
        other = owners != items
        owners, items = owners[other], items[other]
        shares = demand[items] / totals[groups[items]]
        self._keep(sum_pairs(owners, items, shares, (taught.n_items, taught.n_items)))
