"""Turns scores into probabilities that mean what they say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from lingxi.learning.model import Labels, Matrix, check_labels, from_log_odds

ISOTONIC_POSITIVES = 1000
_FLOOR = 0.001


class CalibratorParts(TypedDict):
    """A calibrator as JSON keeps it."""

    method: str
    knots: list[float]
    values: list[float]


@dataclass(frozen=True)
class Calibrator:
    """A rising map from log-odds to probability.

    ``method`` ``platt``: ``knots`` is the single 0, ``values`` are slope and intercept.
    ``isotonic``: straight lines through (``knots``, ``values``), flat outside.
    """

    method: str
    knots: Matrix
    values: Matrix

    def apply(self, scores: Matrix) -> Matrix:
        """Probabilities, shape (n_rows,), in [0.001, 0.999]."""
        if self.method == "platt":
            found = from_log_odds(self.values[0] * scores + self.values[1])
        else:
            found = np.interp(scores, self.knots, self.values)
        return np.clip(found, _FLOOR, 1 - _FLOOR)

    def parts(self) -> CalibratorParts:
        """For a JSON document."""
        return {
            "method": self.method,
            "knots": self.knots.tolist(),
            "values": self.values.tolist(),
        }

    @staticmethod
    def from_parts(parts: CalibratorParts) -> "Calibrator":
        """What ``parts`` wrote."""
        return Calibrator(parts["method"], np.array(parts["knots"]), np.array(parts["values"]))


def fit_calibrator(scores: Matrix, y: Labels) -> Calibrator:
    """Isotonic where at least 1,000 positives allow it, Platt's sigmoid otherwise.

    Parameters
    ----------
    scores
        Log-odds of rows the model was not fitted on, from the latest closed window.

    Raises
    ------
    NotEnoughData
        If a class has fewer than two rows.
    """
    check_labels(scores.reshape(-1, 1), y)
    if int(y.sum()) >= ISOTONIC_POSITIVES and len(np.unique(scores)) > 1:
        return _fit_isotonic(scores, y)
    return _fit_platt(scores, y)


def _fit_isotonic(scores: Matrix, y: Labels) -> Calibrator:
    """Isotonic regression through the centres of its blocks, so that order is not lost to steps.

    Source
    ------
    Oron and Flournoy (2017), Statistics in Biopharmaceutical Research 9(3): centred isotonic
    regression.
    """
    from sklearn.isotonic import isotonic_regression  # a second: only to fit

    pool: Callable[..., Matrix] = isotonic_regression
    levels, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place)
    shares = np.bincount(place, weights=y) / counts
    fitted = pool(shares, sample_weight=counts)
    values, block = np.unique(fitted, return_inverse=True)
    centres = np.bincount(block, weights=levels * counts) / np.bincount(block, weights=counts)
    return Calibrator("isotonic", centres, values.astype(np.float64))


def _fit_platt(scores: Matrix, y: Labels) -> Calibrator:
    """Slope and intercept of the log-odds by maximum likelihood, targets drawn in from 0 and 1.

    Source
    ------
    Platt (1999), "Probabilistic outputs for support vector machines", eq. 3; the loss is written
    as Lin, Lin and Weng (2007), Machine Learning 68(3), so that it cannot overflow.
    """
    from scipy.optimize import OptimizeResult, minimize  # half a second: only to fit

    minimise: Callable[..., OptimizeResult] = minimize
    positives = int(y.sum())
    negatives = len(y) - positives
    target = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        z = weights[0] * scores + weights[1]
        error = from_log_odds(z) - target
        value = np.logaddexp(0, z) - target * z
        return float(value.sum()), np.array([error @ scores, error.sum()])

    start = np.array([1.0, 0.0])
    found = minimise(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)])
    return Calibrator("platt", np.zeros(1), np.asarray(found.x, dtype=np.float64))
