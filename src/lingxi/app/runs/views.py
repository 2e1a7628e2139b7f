"""What edges show of journeys at work."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from lingxi.i18n import Sentence


class RunRow(msgspec.Struct, frozen=True):
    """A run in a list; ``outcome`` is empty while it is on its way."""

    id: int
    journey: str
    version: int
    customer_id: str
    key: str
    state: str
    step: str
    started_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    outcome: str


class RunsView(msgspec.Struct, frozen=True):
    """A page of runs, newest first; ``next_cursor`` opens the next one."""

    runs: Sequence[RunRow]
    next_cursor: str | None


class StepRow(msgspec.Struct, frozen=True):
    """A step that a run passed or stood at, and why it did what it did."""

    at: datetime
    step: str
    way: str
    why: Sentence
    message: str | None = None
    message_state: str | None = None
    message_reason: str | None = None


class RunView(msgspec.Struct, frozen=True):
    """One run with everything that it did; ``why`` needs no language."""

    run: RunRow
    steps: Sequence[StepRow]


class StepCount(msgspec.Struct, frozen=True):
    """A step: how many runs are there now, and how many left it by each way."""

    step: str
    here: int
    left: dict[str, int]


class CountsView(msgspec.Struct, frozen=True):
    """A journey in numbers, of one version or all."""

    journey: str
    version: int
    started: int
    held_out: int
    steps: Sequence[StepCount]


class Triggered(msgspec.Struct, frozen=True):
    """Whether a run began; where not, the entry rule or re-entry kept the customer out."""

    journey: str
    customer_id: str
    begun: bool


class CampaignRow(msgspec.Struct, frozen=True):
    """A journey that a schedule begins: when next, when last, how many came in then."""

    name: str
    version: int
    next_at: datetime | None
    last_at: datetime | None
    entered: int
    finished: bool


class CampaignsView(msgspec.Struct, frozen=True):
    """All of them, the next first."""

    campaigns: Sequence[CampaignRow]
