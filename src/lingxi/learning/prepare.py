"""Gets a table with holes and long tails ready for a linear model, fitted on training rows only."""

from dataclasses import dataclass

import numpy as np

from lingxi.learning.model import Matrix


@dataclass(frozen=True)
class Preparation:
    """Signed logarithm, median for what is missing plus a flag that it was, then scaling.

    ``medians``, ``flagged`` have one entry per feature; ``means`` and ``scales`` one per column of
    the prepared matrix, which is the features followed by the flags of ``flagged`` ones. Features
    that are constant over the training rows come out as zero.
    """

    medians: Matrix
    flagged: Matrix
    means: Matrix
    scales: Matrix

    @staticmethod
    def fit(X: Matrix) -> "Preparation":
        """Learn medians, flags and scales from training rows.

        >>> p = Preparation.fit(np.array([[0.0], [np.e - 1], [np.nan]]))
        >>> p.medians.tolist(), p.flagged.tolist()
        ([0.5], [1.0])
        """
        logged = signed_log(X)
        known = np.isfinite(logged)
        medians = np.zeros(X.shape[1])
        for j in np.flatnonzero(known.any(axis=0)):
            medians[j] = np.median(logged[known[:, j], j])
        holes = 1 - known.mean(axis=0)
        flagged = ((holes > 0) & (holes < 1)).astype(np.float64)
        raw = _fill(logged, medians, flagged)
        scales = raw.std(axis=0)
        return Preparation(medians, flagged, raw.mean(axis=0), scales)

    def apply(self, X: Matrix) -> Matrix:
        """Prepared matrix, shape (n_rows, n_features + n_flags), zero mean on training rows."""
        raw = _fill(signed_log(X), self.medians, self.flagged)
        safe = np.where(self.scales > 1e-12, self.scales, 1.0)
        ready: Matrix = (raw - self.means) / safe
        ready[:, self.scales <= 1e-12] = 0.0
        return ready

    def features_of_columns(self) -> Matrix:
        """For each prepared column the number of the feature it came from (a flag: its own)."""
        return np.concatenate([np.arange(len(self.medians)), np.flatnonzero(self.flagged)])


def signed_log(X: Matrix) -> Matrix:
    """``sign(x) * log(1 + |x|)``: tames long tails, keeps zero, sign and NaN.

    >>> signed_log(np.array([0.0, -(np.e - 1)])).tolist()
    [0.0, -1.0]
    """
    return np.sign(X) * np.log1p(np.abs(X))


def _fill(logged: Matrix, medians: Matrix, flagged: Matrix) -> Matrix:
    holes = ~np.isfinite(logged)
    filled = np.where(holes, medians, logged)
    return np.hstack([filled, holes[:, flagged > 0].astype(np.float64)])
