"""The design of an experiment: what was to be compared with what, decided before anybody saw it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from lingxi.errors import InvalidInput
from lingxi.experiments.assignment import HOLDOUT, TREATED, check_shares

Unit = Literal["customer", "browser", "cart"]
_NAME = re.compile(r"[a-z0-9][a-z0-9:._-]{0,79}")
_ARM = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment as it is from ``started_at`` on.

    ``arms`` are the shares in the order by which ``assign`` divides the units. ``version`` is 0
    until the design is kept.
    """

    name: str
    arms: Mapping[str, float]
    started_at: datetime
    unit: Unit = "customer"
    version: int = 0

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(
                f"{self.name!r} is no name for an experiment: use at most 80 small letters, digits "
                "and : . _ - ."
            )
        if not 2 <= len(self.arms) <= 20 or not all(_ARM.fullmatch(arm) for arm in self.arms):
            raise InvalidInput(
                f"The experiment {self.name!r} needs 2 to 20 arms, each with a name of letters, "
                "digits, spaces and . _ - ."
            )
        check_shares(self.name, self.arms)

    @property
    def is_holdout(self) -> bool:
        """Whether it only keeps a share untreated; such a share may be changed."""
        return set(self.arms) == {HOLDOUT, TREATED}


def holdout_design(name: str, share: float, started_at: datetime) -> Design:
    """The design of a holdout.

    >>> from datetime import UTC
    >>> dict(holdout_design("journey:win-back", 0.25, datetime(2026, 1, 1, tzinfo=UTC)).arms)
    {'holdout': 0.25, 'treated': 0.75}
    """
    return Design(name=name, arms={HOLDOUT: share, TREATED: 1.0 - share}, started_at=started_at)
