"""What somebody is shown where a placement tries a variant: the arm is ``experiments``' word."""

from lingxi.experiments import assign
from lingxi.recommend.placements.definition import Placement, Variant

A, B = "a", "b"


def choose_variant(placement: Placement, unit: str) -> tuple[Variant, str | None]:
    """What somebody is shown, and the arm, or nothing without an experiment.

    Who cannot be told apart (``unit`` "") is shown the placement itself and is in no arm.
    """
    experiment = placement.experiment
    if experiment is None or not unit:
        return placement, None
    arm = assign(experiment.name, unit, {B: experiment.share, A: 1.0 - experiment.share})
    return (experiment.variant if arm == B else placement), arm
