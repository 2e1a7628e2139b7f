"""Popularity: what everyone has, the same for everyone; the baseline and the fall-back."""

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotTrained
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.known import Known
from lingxi.recommend.matrix import Csr, build_csr
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.recommend.scorer import Vector
from lingxi.store import Artefact, ArtefactWriter


class Popularity:
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

    personal = False

    def __init__(self, name: str, taught: Weighting = USUAL) -> None:
        self.name, self.taught = name, taught
        self.weights: Vector = np.empty(0)
        self._known: Known | None = None

    def fit(self, taught: Histories) -> None:
        """Add up the columns."""
        self._known = Known.of(taught, self.taught)
        self._share()

    def update(self, before: Histories, after: Histories) -> None:
        """Put changed rows in: exactly what a fit on everything gives."""
        if self._known is None:
            raise NotTrained("The rows that were learnt from are not kept in a file. Fit anew.")
        self._known, _ = self._known.put(before, after, self.taught)
        self._share()

    def _share(self) -> None:
        assert self._known is not None
        known = self._known.weights
        counts = np.bincount(known.indices, weights=known.data, minlength=known.shape[1])
        sums = counts.astype(np.float64)
        top = float(sums.max(initial=0.0))
        self.weights = sums / top if top > 0 else sums

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """The same scores for every history."""
        shape = (histories.n_rows, len(self.weights))
        return np.broadcast_to(self.weights.astype(np.float32), shape)

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
