"""What every tabular learner looks like: numbers in, a fitted model out, and what it says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lingxi.errors import NotEnoughData

if TYPE_CHECKING:
    import lightgbm

Matrix = NDArray[np.float64]
Labels = NDArray[np.int8]

MIN_PER_CLASS = 2


@dataclass(frozen=True)
class Contributions:
    """How a score came about: ``base`` plus the row's sum of ``values`` is the raw score.

    ``values``: shape (n_rows, n_features), in the unit of the model's score.
    """

    base: float
    values: Matrix


class PartWriter(Protocol):
    """Where a model's parts go; the artefact writer of ``store`` is one."""

    def save_array(self, name: str, array: NDArray[np.generic], /) -> None:
        """Keep an array."""

    def save_json(self, name: str, value: object, /) -> None:
        """Keep numbers and names."""

    def save_lightgbm(self, name: str, booster: "lightgbm.Booster", /) -> None:
        """Keep a booster as LightGBM's own text."""


class PartReader(Protocol):
    """Where a model's parts come from; the artefact of ``store`` is one."""

    def load_array(self, name: str, /) -> NDArray[np.generic]:
        """An array kept under this name."""

    def load_json(self, name: str, /) -> object:
        """Numbers and names kept under this name."""

    def load_lightgbm(self, name: str, /) -> "lightgbm.Booster":
        """A booster kept under this name."""


class Model(Protocol):
    """A fitted learner. ``X``: shape (n_rows, n_features), NaN where a value cannot be known."""

    @property
    def unit(self) -> str:
        """Unit of the raw score: ``log_odds`` or ``probability``."""

    def score(self, X: Matrix) -> Matrix:
        """Raw scores, shape (n_rows,), higher is likelier."""

    def predict(self, X: Matrix) -> Matrix:
        """Probabilities of label 1, shape (n_rows,), before any calibration."""

    def explain(self, X: Matrix) -> Contributions:
        """The exact additive parts of ``score``."""

    def save(self, writer: PartWriter) -> None:
        """Hand every part to ``writer``."""


class Learner(Protocol):
    """Makes a ``Model`` from rows and labels; ``name`` is the key in ``LEARNERS``."""

    @property
    def name(self) -> str:
        """Short name, the same everywhere."""

    def fit(self, X: Matrix, y: Labels, *, seed: int) -> Model:
        """Learn ``P(y = 1 | X)``.

        Raises
        ------
        NotEnoughData
            If a class has fewer than two rows.
        """


def check_labels(X: Matrix, y: Labels) -> None:
    """Refuse what nothing can be learned from.

    Raises
    ------
    NotEnoughData
        If a class has fewer than two rows.
    """
    if len(X) != len(y):
        raise ValueError(f"{len(X)} rows but {len(y)} labels")
    positives = int(y.sum())
    negatives = len(y) - positives
    if min(positives, negatives) < MIN_PER_CLASS:
        raise NotEnoughData(
            f"A model needs at least {MIN_PER_CLASS} examples of each outcome, but there are"
            f" {positives} and {negatives}. Bring in a longer history."
        )


def log_odds(probabilities: Matrix) -> Matrix:
    """Log-odds of probabilities, kept finite.

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    p = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return np.log(p) - np.log1p(-p)


def from_log_odds(scores: Matrix) -> Matrix:
    """Probabilities of log-odds, without overflow.

    >>> from_log_odds(np.array([0.0, -1000.0])).tolist()
    [0.5, 0.0]
    """
    return 0.5 * (1 + np.tanh(scores / 2))
