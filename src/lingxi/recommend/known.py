"""What a model has learnt from, kept while the process runs, so that changed rows can be put in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import InvalidInput
from lingxi.recommend.histories import DAY, Histories
from lingxi.recommend.history import Weighting
from lingxi.recommend.matrix import Csr, build_csr, put_rows, row_lengths, scale


@dataclass(frozen=True)
class Known:
    """Weights of all rows as of ``now`` (microseconds), shape (n_rows, n_items)."""

    weights: Csr
    now: int

    @staticmethod
    def of(taught: Histories, weighting: Weighting) -> "Known":
        """The weights of all rows as of their newest event."""
        return Known(taught.weigh(weighting, now=taught.newest), taught.newest)

    @property
    def n_items(self) -> int:
        """Items there are."""
        return int(self.weights.shape[1])

    def put(
        self, before: Histories, after: Histories, weighting: Weighting
    ) -> tuple["Known", NDArray[np.int64]]:
        """The same with changed rows, and the items that any of them held or holds.

        A newer event than all before makes the others older: by a common factor, since age halves
        a weight at a fixed pace.

        Raises
        ------
        InvalidInput
            If the two do not hold the same rows, or a row has no number.
        """
        rows = after.rows
        if before.rows.tolist() != rows.tolist() or len(np.unique(rows)) < len(rows):
            raise InvalidInput("Give the same rows before and after, each once.")
        if len(rows) and int(rows.min()) < 0:
            raise InvalidInput("A history of nobody cannot be put in; give it a row first.")
        now = max(self.now, after.newest)
        weights = self.weights
        if weighting.half_life_days > 0 and now > self.now:
            days = (now - self.now) / DAY
            weights = scale(weights, weights.data * 2.0 ** (-days / weighting.half_life_days))
        fresh = after.weigh(weighting, now=now)
        more = int(rows.max(initial=-1)) + 1 - weights.shape[0]
        if more > 0 or after.n_items > weights.shape[1]:
            weights = _enlarge(weights, max(more, 0), max(after.n_items, weights.shape[1]))
        old = weights[rows]
        touched = np.union1d(old.indices, fresh.indices).astype(np.int64)
        return Known(put_rows(weights, rows, fresh), now), touched


def _enlarge(matrix: Csr, rows: int, columns: int) -> Csr:
    """With empty rows and columns at the end."""
    lengths = np.concatenate((row_lengths(matrix), np.zeros(rows, dtype=np.int64)))
    indptr = np.concatenate(([0], np.cumsum(lengths)))
    return build_csr(matrix.data, matrix.indices, indptr, (len(lengths), columns))
