"""Which learner to trust for churn, how good it is, and the model put to use. Pure of any store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from time import perf_counter

import numpy as np

from lingxi.errors import NotEnoughData
from lingxi.learning import (
    LEARNERS,
    Calibrator,
    Model,
    choose_simplest,
    fit_calibrator,
    list_learners,
    log_odds,
)
from lingxi.lifecycle.frames import Floats, Frame, stack
from lingxi.stats.bootstrap import Interval
from lingxi.stats.classification import area_under_curve

MIN_CUSTOMERS, MIN_PER_OUTCOME = 100, 30
FOLDS = 3
LEVELS = (("high", 2 / 3), ("medium", 1 / 3), ("low", 0.0))


@dataclass(frozen=True)
class Fitted:
    """One learner fitted on some frames, its probabilities for another, and the time it took."""

    model: Model
    probabilities: Floats
    seconds: float


@dataclass(frozen=True)
class Choice:
    """The learner chosen; ``aucs`` by name at validation, empty where there was no room for it."""

    name: str
    aucs: Mapping[str, Interval]


@dataclass(frozen=True)
class ChurnModel:
    """A learner's model and the calibration of what it says."""

    name: str
    model: Model
    calibrator: Calibrator

    def predict(self, X: Floats) -> Floats:
        """Calibrated probability of no order within the horizon, shape (n,)."""
        return self.calibrator.apply(log_odds(self.model.predict(X)))


def name_level(probability: float) -> str:
    """``low`` under one in three, ``high`` from two in three, else ``medium``.

    >>> name_level(0.1), name_level(0.5), name_level(0.9)
    ('low', 'medium', 'high')
    """
    return next(name for name, floor in LEVELS if probability >= floor)


def is_enough(frame: Frame) -> bool:
    """Whether a moment has 100 buyers, and 30 of either outcome."""
    left = int(frame.churned.sum())
    few = min(left, len(frame.churned) - left)
    return len(frame.churned) >= MIN_CUSTOMERS and few >= MIN_PER_OUTCOME


def require_enough(frames: Sequence[Frame]) -> None:
    """Refuse to learn from what cannot teach.

    Raises
    ------
    NotEnoughData
        If a moment has fewer than 100 buyers, or fewer than 30 of either outcome.
    """
    for frame in frames:
        if not is_enough(frame):
            buyers, left = len(frame.churned), int(frame.churned.sum())
            raise NotEnoughData(
                f"Churn needs at least {MIN_CUSTOMERS} customers who had ordered by"
                f" {frame.moment:%Y-%m-%d}, {MIN_PER_OUTCOME} of them ordering again within the"
                f" horizon and {MIN_PER_OUTCOME} not; there are {buyers}, of whom {buyers - left}"
                f" did and {left} did not. Bring in more orders, or change learning.horizon_days."
            )


def fit_all(train: Sequence[Frame], judged: Frame, seed: int) -> dict[str, Fitted]:
    """Every learner fitted on ``train``, with its probabilities for ``judged``."""
    X, y = stack(train)
    found = {}
    for name, learner in list_learners().items():
        start = perf_counter()
        model = learner.fit(X, y, seed=seed)
        seconds = perf_counter() - start
        found[name] = Fitted(model, model.predict(judged.X), seconds)
    return found


def choose_learner(train: Sequence[Frame], validation: Frame | None, seed: int) -> Choice:
    """The simplest learner within one standard error of the best AUC at ``validation``.

    Where there is no validation moment it is logistic regression, the simplest.
    """
    if validation is None or not train:
        return Choice(next(iter(LEARNERS)), {})
    fitted = fit_all(train, validation, seed)
    labels = validation.churned
    aucs = {n: area_under_curve(labels, f.probabilities) for n, f in fitted.items()}
    best = max(aucs.values(), key=lambda auc: auc.value)
    error = (best.high - best.low) / 2 / NormalDist().inv_cdf(0.975)
    simplest = choose_simplest([auc.value for auc in aucs.values()], error)
    return Choice(list(aucs)[simplest], aucs)


def fit_calibrated(name: str, frames: Sequence[Frame], seed: int) -> tuple[ChurnModel, Floats]:
    """A model of all ``frames``, calibrated on the last, which is the latest closed window.

    The calibration learns from rows whose customer the scoring model had not seen: the last frame
    is scored by models that were fitted without a third of the customers at a time.

    Returns
    -------
    The model, and the calibrated out-of-fold probabilities of the last frame.
    """
    X, y = stack(frames)
    customers = np.concatenate([f.customers for f in frames])
    last = frames[-1]
    folds = np.random.default_rng(seed).permutation(int(customers.max()) + 1) % FOLDS
    scores = np.zeros(len(last.customers))
    for fold in range(FOLDS):
        inside = folds[customers] != fold
        held = folds[last.customers] == fold
        if held.any():
            model = LEARNERS[name].fit(X[inside], y[inside], seed=seed)
            scores[held] = log_odds(model.predict(last.X[held]))
    calibrator = fit_calibrator(scores, last.churned)
    fitted = ChurnModel(name, LEARNERS[name].fit(X, y, seed=seed), calibrator)
    return fitted, calibrator.apply(scores)
