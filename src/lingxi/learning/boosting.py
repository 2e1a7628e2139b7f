"""Gradient boosting with LightGBM: holes are part of the data, contributions are exact."""

import ctypes
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import lightgbm

_THREADS = 2
_ROWS_PER_THREAD = 20_000


def is_available() -> bool:
    """Whether LightGBM can be loaded: it needs the system's OpenMP, which slim images lack.

    Its library alone is tried: the package takes scikit-learn and a second or two of the processor
    with it, which a search of five seconds does not have.
    """
    if sys.modules.get("lightgbm") is not None:
        return True
    found = find_spec("lightgbm")
    places = [] if found is None else list(found.submodule_search_locations or ())
    libraries = [each for place in places for each in Path(place).glob("lib/lib_lightgbm.*")]
    try:
        return bool([ctypes.CDLL(str(library)) for library in libraries])
    except OSError:
        return False


@dataclass(frozen=True)
class BoostingModel:
    """A LightGBM booster; the score is the log-odds."""

    booster: "lightgbm.Booster"
    unit: str = "log_odds"

    def score(self, X: Matrix) -> Matrix:
        """Log-odds, shape (n_rows,)."""
        found = self.booster.predict(X, raw_score=True, num_threads=_count_threads(len(X)))
        return np.asarray(found, dtype=np.float64)

    def predict(self, X: Matrix) -> Matrix:
        """Probabilities, shape (n_rows,)."""
        return from_log_odds(self.score(X))

    def explain(self, X: Matrix) -> Contributions:
        """Exact Shapley values of the trees.

        Source
        ------
        Lundberg et al. (2020), Nature Machine Intelligence 2 (TreeSHAP).
        """
        found = np.asarray(
            self.booster.predict(X, pred_contrib=True, num_threads=_count_threads(len(X)))
        )
        base = float(found[0, -1]) if len(found) else 0.0
        return Contributions(base, np.ascontiguousarray(found[:, :-1], dtype=np.float64))

    def save(self, writer: PartWriter) -> None:
        """LightGBM's own text."""
        writer.save_lightgbm("boosting", self.booster)

    @staticmethod
    def load(reader: PartReader) -> "BoostingModel":
        """The model that ``save`` wrote."""
        return BoostingModel(reader.load_lightgbm("boosting"))


@dataclass(frozen=True)
class Boosting:
    """A small, slow-learning booster; a leaf holds at least 1% of the rows.

    Few leaves and many rows a leaf do best on tables of a few thousand customers, where most of
    what can be known is in recency and frequency; the leaves grow with the rows.
    """

    epochs: int = 150
    learning_rate: float = 0.05
    max_leaves: int = 31
    name: str = "lightgbm"

    def fit(self, X: Matrix, y: Labels, *, seed: int) -> BoostingModel:
        """Fit; the same rows and ``seed`` give the same trees."""
        import lightgbm  # half a second: only where a model is fitted

        check_labels(X, y)
        parameters = {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": int(np.clip(len(y) // 1000, 4, self.max_leaves)),
            "min_data_in_leaf": max(10, min(len(y) // 100, 200)),
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 5.0,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": _count_threads(len(y)),
            "verbosity": -1,
        }
        rows = lightgbm.Dataset(X, label=y, free_raw_data=True)
        return BoostingModel(lightgbm.train(parameters, rows, num_boost_round=self.epochs))


def _count_threads(rows: int) -> int:
    """One for a small table: threads that wait for each other cost more than they bring."""
    return min(_THREADS, 1 + rows // _ROWS_PER_THREAD)
