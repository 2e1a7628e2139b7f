"""Tabular learners behind one face: numbers in, a model out, with exact reasons for its scores."""

from collections.abc import Callable, Mapping

from lingxi.errors import UnknownModel, did_you_mean
from lingxi.learning import boosting
from lingxi.learning.boosting import Boosting, BoostingModel
from lingxi.learning.calibration import Calibrator, fit_calibrator
from lingxi.learning.logistic import Logistic, LogisticModel
from lingxi.learning.model import Contributions, Learner, Model, PartReader, PartWriter, log_odds
from lingxi.learning.temporal import choose_simplest, plan_cutoffs
from lingxi.learning.trees import DecisionTree, RandomForest, TreeModel

LEARNERS: Mapping[str, Learner] = {
    learner.name: learner for learner in (Logistic(), DecisionTree(), RandomForest(), Boosting())
}
"""Every learner by name, the simplest first."""

_LOADERS: Mapping[str, Callable[[PartReader], Model]] = {
    "logistic": LogisticModel.load,
    "decision_tree": TreeModel.load,
    "random_forest": TreeModel.load,
    "lightgbm": BoostingModel.load,
}


def list_learners() -> dict[str, Learner]:
    """The learners that can run on this machine, by name, the simplest first."""
    boosted = boosting.is_available()
    return {name: one for name, one in LEARNERS.items() if boosted or name != Boosting().name}


def load_model(name: str, reader: PartReader) -> Model:
    """The model that learner ``name`` fitted and ``Model.save`` wrote.

    Raises
    ------
    UnknownModel
        If there is no learner of this name.
    """
    if name not in _LOADERS:
        raise UnknownModel(f"No learner {name!r}{did_you_mean(name, _LOADERS)}.")
    return _LOADERS[name](reader)


__all__ = [
    "LEARNERS",
    "Calibrator",
    "Contributions",
    "Learner",
    "Model",
    "PartReader",
    "PartWriter",
    "choose_simplest",
    "fit_calibrator",
    "list_learners",
    "load_model",
    "log_odds",
    "plan_cutoffs",
]
