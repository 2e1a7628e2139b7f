"""Logistic regression on log features: the learner to beat, and the easiest to explain."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from lingxi.learning.model import (
    Contributions,
    Labels,
    Matrix,
    PartReader,
    PartWriter,
    check_labels,
    from_log_odds,
)
from lingxi.learning.prepare import Preparation


@dataclass(frozen=True)
class LogisticModel:
    """Log-odds = intercept + prepared columns times ``weights``."""

    preparation: Preparation
    weights: Matrix
    intercept: float
    unit: str = "log_odds"

    def score(self, X: Matrix) -> Matrix:
        """Log-odds, shape (n_rows,)."""
        return self.preparation.apply(X) @ self.weights + self.intercept

    def predict(self, X: Matrix) -> Matrix:
        """Probabilities, shape (n_rows,)."""
        return from_log_odds(self.score(X))

    def explain(self, X: Matrix) -> Contributions:
        """Weight times distance from the training mean; a flag counts for its feature."""
        parts = self.preparation.apply(X) * self.weights
        values = np.zeros_like(X)
        owners = self.preparation.features_of_columns().astype(np.intp)
        for column, feature in enumerate(owners):
            values[:, feature] += parts[:, column]
        return Contributions(self.intercept, values)

    def save(self, writer: PartWriter) -> None:
        """One JSON document."""
        parts = self.preparation
        writer.save_json(
            "logistic",
            {
                "medians": parts.medians.tolist(),
                "flagged": parts.flagged.tolist(),
                "means": parts.means.tolist(),
                "scales": parts.scales.tolist(),
                "weights": self.weights.tolist(),
                "intercept": self.intercept,
            },
        )

    @staticmethod
    def load(reader: PartReader) -> "LogisticModel":
        """The model that ``save`` wrote."""
        found = reader.load_json("logistic")
        if not isinstance(found, dict):
            raise ValueError("part 'logistic' is not a JSON object")
        arrays = {k: np.array(v, dtype=np.float64) for k, v in found.items() if k != "intercept"}
        preparation = Preparation(
            arrays["medians"], arrays["flagged"], arrays["means"], arrays["scales"]
        )
        return LogisticModel(preparation, arrays["weights"], float(found["intercept"]))


@dataclass(frozen=True)
class Logistic:
    """L2-penalised logistic regression; ``reg`` is the penalty per training row.

    A penalty that grows with the rows keeps the strength of shrinkage the same on any shop: ``C``
    of scikit-learn is ``1 / (reg * n_rows)``.
    """

    reg: float = 0.001
    name: str = "logistic"

    def fit(self, X: Matrix, y: Labels, *, seed: int) -> LogisticModel:
        """Fit; the same rows give the same model whatever the ``seed``."""
        from sklearn.linear_model import LogisticRegression  # a second: only to fit
        from threadpoolctl import threadpool_limits

        check_labels(X, y)
        estimator: Callable[..., LogisticRegression] = LogisticRegression
        limit: Callable[..., AbstractContextManager[object]] = threadpool_limits
        preparation = Preparation.fit(X)
        regression = estimator(
            C=1 / (self.reg * len(y)), solver="newton-cholesky", tol=1e-6, random_state=seed
        )
        with limit(1, "blas"):  # so few columns: threads would only wait, and spin
            found = regression.fit(preparation.apply(X), y)
        return LogisticModel(
            preparation, found.coef_[0].astype(np.float64), float(found.intercept_[0])
        )
