"""What a calendar tells of a day: what begins, what came of it, what was sent."""

from datetime import date, datetime

import msgspec


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A journey begins, or began, for many at once.

    ``state``: live, paused, draft (never published) or removed. ``at``: when; where ``local``, each
    customer's own clock shows the time that the shop's shows then. ``customers``: how many are
    expected, as far as that is known. ``waits_until``: when its first messages leave, where quiet
    hours or a holiday keep them. ``came_in``: how many began or were held out so far; nothing
    before. ``missed``: nobody worked while it was due.
    """

    journey: str
    title: dict[str, str]
    version: int
    state: str
    campaign: bool
    at: datetime
    local: bool
    channels: tuple[str, ...]
    holdout: float
    customers: int | None = None
    waits_until: datetime | None = None
    came_in: int | None = None
    finished: bool = False
    missed: bool = False


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one journey on one day; those that no journey sent have an empty name.

    ``waiting`` are counted on the day that they are to leave, all others on the day they were
    queued.
    """

    journey: str
    title: dict[str, str]
    accepted: int
    skipped: int
    failed: int
    unknown: int
    waiting: int


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the shop; ``hours`` is 23 or 25 where the clocks change."""

    day: date
    holiday: bool
    hours: float
    planned: tuple[Planned, ...]
    sent: tuple[Sent, ...]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A journey that dates begin, so many that they are not counted beforehand: any day, at a
    ``time`` of the customer's own."""

    journey: str
    title: dict[str, str]
    state: str
    time: str


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Every day from ``first`` to ``last``, both included, in ``timezone``."""

    timezone: str
    now: datetime
    first: date
    last: date
    quiet_hours: str
    days: tuple[Day, ...]
    standing: tuple[Standing, ...]
