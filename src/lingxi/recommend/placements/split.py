"""Which arm of an experiment somebody is in: a hash, so that nothing has to be stored."""

from hashlib import blake2b

from lingxi.recommend.placements.definition import Placement, Variant

A, B = "a", "b"


def find_arm(experiment: str, unit: str, share: float) -> str:
    """The arm of a customer or browser: always the same, and independent between experiments.

    Examples
    --------
    >>> [find_arm("home-dpp", str(customer), 0.5) for customer in range(6)]
    ['b', 'b', 'b', 'a', 'b', 'a']
    """
    digest = blake2b(f"{experiment}\0{unit}".encode(), digest_size=8).digest()
    return B if int.from_bytes(digest, "big") < share * 2.0**64 else A


def choose_variant(placement: Placement, unit: str) -> tuple[Variant, str | None]:
    """What somebody is shown, and the arm, or nothing without an experiment.

    Who cannot be told apart (``unit`` "") is shown the placement itself and is in no arm.
    """
    experiment = placement.experiment
    if experiment is None or not unit:
        return placement, None
    arm = find_arm(experiment.name, unit, experiment.share)
    return (experiment.variant if arm == B else placement), arm
