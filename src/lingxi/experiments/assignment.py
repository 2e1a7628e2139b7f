"""Which arm of an experiment somebody is in: a hash, so that nothing has to be stored.

BLAKE2b (RFC 7693) of the experiment's name and the unit is a number between 0 and 1 that no two
experiments share: their arms are independent of each other, and the same unit is always in the same
arm, on every machine, before and after a restart.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import isclose, isfinite

from lingxi.errors import InvalidInput

TREATED = "treated"
HOLDOUT = "holdout"
CONTROL = "control"
HOLDOUT_SHARE = 0.10
"""The share that a journey keeps untreated unless it says otherwise."""


def draw(experiment: str, unit: str | int) -> float:
    """The unit's own number in an experiment, uniform in [0, 1).

    >>> draw("home-dpp", 4) == draw("home-dpp", "4")
    True
    """
    digest = blake2b(f"{experiment}\0{unit}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2.0**53


def assign(experiment: str, unit: str | int, arms: Mapping[str, float]) -> str:
    """The arm of a unit: always the same, and independent between experiments.

    Parameters
    ----------
    experiment
        The experiment's name: two experiments of one name have the same arms.
    unit
        Who or what is assigned: a customer, a browser, a cart.
    arms
        The share of each arm, in an order that stays; together 1.

    Raises
    ------
    InvalidInput
        If the shares are not between 0 and 1 or do not add up to 1.

    Examples
    --------
    >>> [assign("home-dpp", customer, {"b": 0.5, "a": 0.5}) for customer in range(6)]
    ['b', 'b', 'b', 'a', 'b', 'a']
    """
    check_shares(experiment, arms)
    point = draw(experiment, unit)
    end = 0.0
    for arm, share in arms.items():
        end += share
        if point < end:
            return arm
    return [arm for arm, share in arms.items() if share > 0][-1]


def in_holdout(name: str, customer: str | int, share: float = HOLDOUT_SHARE) -> bool:
    """Whether a customer is kept untreated.

    Whoever is held out stays so when the share grows; who is not stays treated when it shrinks.

    Raises
    ------
    InvalidInput
        If the share is not between 0 and 1.

    Examples
    --------
    >>> sum(in_holdout("win-back", customer) for customer in range(10_000))
    1040
    """
    if not 0.0 <= share <= 1.0:
        raise InvalidInput(f"The holdout of {name!r} must be between 0 and 1, not {share}.")
    return draw(f"{HOLDOUT}\0{name}", customer) < share


def check_shares(experiment: str, arms: Mapping[str, float]) -> None:
    """Refuse shares that are no division of everybody.

    Raises
    ------
    InvalidInput
        If a share is not between 0 and 1, or together they are not 1.
    """
    if any(not isfinite(share) or not 0.0 <= share <= 1.0 for share in arms.values()):
        raise InvalidInput(f"Every share of the experiment {experiment!r} must be between 0 and 1.")
    total = sum(arms.values())
    if not isclose(total, 1.0, abs_tol=1e-9):
        raise InvalidInput(
            f"The shares of the experiment {experiment!r} add up to {total:g}; they must make 1."
        )
