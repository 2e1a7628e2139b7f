"""What a customer had before and is due to have again: repeat purchase and replenishment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import Histories
from lingxi.recommend.history import USUAL, Weighting
from lingxi.recommend.matrix import Csr, build_csr, count_ends, densify_scores, row_lengths, scale
from lingxi.recommend.operators import NO_CUSTOMERS
from lingxi.store import Artefact, ArtefactWriter

Vector = NDArray[np.float64]
Whole = NDArray[np.int64]
_DAY = 86_400_000_000
_PRIOR = 5.0  # customers of the shop's average propensity that every item is given on top
_SHORTEST_DAYS = 0.01


@dataclass(frozen=True)
class Times:
    """How often and when each customer had each item; one entry a cell, row after row.

    ``cells``: row · n_items + item, rising; ``count``: different moments; ``first``, ``last``:
    moments in microseconds.
    """

    cells: Whole
    count: Whole
    first: Whole
    last: Whole

    @staticmethod
    def of(histories: Histories) -> "Times":
        """Count the moments of each item of each history."""
        cells = histories.owners * histories.n_items + histories.items
        order = np.lexsort((histories.moments, cells))
        cells, moments = cells[order], histories.moments[order]
        fresh = np.ones(len(cells), dtype=np.bool_)
        fresh[1:] = (cells[1:] != cells[:-1]) | (moments[1:] != moments[:-1])
        cells, moments = cells[fresh], moments[fresh]
        known, starts, count = np.unique(cells, return_index=True, return_counts=True)
        return Times(known, count, moments[starts], moments[starts + count - 1])


class Repeat:
    """``score(u, i) = x(u, i) · again(i) · due(u, i)``, for the items of the history alone.

    again(i) is the share of i's customers who had it at two moments or more, with a prior of five
    customers of the shop's average (one more of either kind added to it). With g the customer's
    mean gap between times, one gap of the item's mean included, and t the days since the last time,
    ``due = 1 - timing + timing · (t / g) e^(1 - t / g)``: highest when a gap has gone by. Time
    counts to the newest event of all that was learnt, or of the history if that is newer.

    Parameters
    ----------
    timing
        0: only how often; 1: only what is due.

    Source
    ------
    Bhagat, Muralidharan, Lobzhanidze & Vishwanath (2018), KDD, "Buy It Again", sections 4.1
    (repeat propensity) and 4.4 (Poisson-Gamma rates).
    """

    personal = False

    def __init__(self, name: str, *, timing: float = 0.3, heard: Weighting = USUAL) -> None:
        if not 0 <= timing <= 1:
            raise InvalidInput(f"timing must be from 0 to 1, but is {timing}.")
        self.name, self.timing, self.heard = name, timing, heard
        self.again: Vector = np.empty(0)
        self.gaps: Vector = np.empty(0)
        self.newest = 0

    def fit(self, taught: Histories) -> None:
        """Each item's propensity and mean gap in days."""
        times = Times.of(taught)
        items = times.cells % max(taught.n_items, 1)
        n = taught.n_items
        buyers = np.bincount(items, minlength=n)
        repeats = times.count > 1
        returned = np.bincount(items, weights=repeats, minlength=n)
        average = (float(repeats.sum()) + 1.0) / (len(repeats) + 2.0)
        self.again = np.where(buyers > 0, (returned + _PRIOR * average) / (buyers + _PRIOR), 0.0)
        days = np.bincount(items, weights=(times.last - times.first) / _DAY, minlength=n)
        gaps = np.bincount(items, weights=times.count - 1, minlength=n)
        usual = float(days.sum() / gaps.sum()) if gaps.any() else 30.0
        self.gaps = np.maximum((days + _PRIOR * usual) / (gaps + _PRIOR), _SHORTEST_DAYS)
        self.newest = taught.newest

    def score(self, histories: Histories) -> NDArray[np.float32]:
        """Scores of all items, shape (n_rows, n_items), 0 for what the history lacks."""
        return densify_scores(self._weigh(histories))

    def list_scores(self, history: Histories) -> tuple[Whole, NDArray[np.float32]]:
        """See ``Listing``."""
        _, items, scores = self.list_many(history)
        return items, scores

    def list_many(self, histories: Histories) -> tuple[Whole, Whole, NDArray[np.float32]]:
        """See ``ListingMany``."""
        weights = self._weigh(histories)
        owners = np.repeat(np.arange(weights.shape[0]), row_lengths(weights))
        scores = weights.data.astype(np.float32)
        kept = scores > 0
        items = weights.indices[kept].astype(np.int64)
        return count_ends(owners[kept], histories.n_rows), items, scores[kept]

    def explain(self, histories: Histories, lists: Whole) -> Csr:
        """An item is there because it was had before: its own share is the score."""
        weights = self._weigh(histories)
        rows = np.repeat(np.arange(len(lists)), lists.shape[1])
        columns = lists.reshape(-1)
        owners = np.repeat(np.arange(weights.shape[0]), row_lengths(weights))
        known = owners * histories.n_items + weights.indices
        asked = rows * histories.n_items + columns
        places = np.minimum(np.searchsorted(known, asked), max(len(known) - 1, 0))
        met = known[places] == asked if len(known) else np.zeros(len(asked), dtype=np.bool_)
        indptr = np.concatenate(([0], np.cumsum(met)))
        shape = (lists.size, histories.n_items)
        return build_csr(weights.data[places[met]], columns[met], indptr, shape)

    def save(
        self, writer: ArtefactWriter, prefix: str, customers: NDArray[np.int64]
    ) -> dict[str, str]:
        """Write two numbers an item; nothing in them belongs to a customer."""
        del customers
        writer.save_array(f"{prefix}_again", self.again)
        writer.save_array(f"{prefix}_gaps", self.gaps)
        writer.save_array(f"{prefix}_newest", np.array([self.newest]))
        return {}

    def load(self, artefact: Artefact, prefix: str) -> NDArray[np.int64]:
        """Read them."""
        self.again = artefact.load_array(f"{prefix}_again", np.float64)
        self.gaps = artefact.load_array(f"{prefix}_gaps", np.float64)
        self.newest = int(artefact.load_array(f"{prefix}_newest", np.int64)[0])
        return NO_CUSTOMERS

    def _weigh(self, histories: Histories) -> Csr:
        """The score of each item of each history."""
        weights = histories.weigh(self.heard)
        if not len(weights.data):
            return weights
        owners = np.repeat(np.arange(weights.shape[0]), row_lengths(weights))
        times = Times.of(histories)
        at = np.searchsorted(times.cells, owners * histories.n_items + weights.indices)
        due = self._find_due(histories, times, owners, at)
        return scale(weights, weights.data * self.again[weights.indices] * due)

    def _find_due(self, histories: Histories, times: Times, owners: Whole, at: Whole) -> Vector:
        if self.timing == 0 or not histories.timed:
            return np.ones(len(at))
        ends = np.maximum(histories.indptr[1:] - 1, 0)
        now = np.maximum(histories.moments[ends][owners], self.newest)
        since = (now - times.last[at]) / _DAY
        own_days = (times.last[at] - times.first[at]) / _DAY
        items = times.cells[at] % histories.n_items
        gap = np.maximum((self.gaps[items] + own_days) / times.count[at], _SHORTEST_DAYS)
        ratio = since / gap
        due: Vector = 1.0 - self.timing + self.timing * ratio * np.exp(1.0 - ratio)
        return due
