"""What churn and value are learned from: what was known at several moments, and what followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from lingxi.errors import NotEnoughData
from lingxi.learning import plan_cutoffs
from lingxi.learning.temporal import TemporalPlan
from lingxi.lifecycle.churn import is_enough, require_enough
from lingxi.lifecycle.frames import Frame, read_frame, sample
from lingxi.lifecycle.history import DAY_US, History
from lingxi.store import Analytics, Progress
from lingxi.store.tables import from_micros

ROWS_PER_MOMENT = 10_000
RECENT_DAYS = 30


@dataclass(frozen=True)
class Lesson:
    """Frames by moment, and how the moments are used."""

    plan: TemporalPlan
    frames: Mapping[datetime, Frame]
    history: History
    seed: int

    def list_frames(self, moments: Sequence[datetime]) -> list[Frame]:
        """Frames to train on, cut to 10,000 drawn customers each."""
        rng = np.random.default_rng(self.seed)
        return [sample(self.frames[m], ROWS_PER_MOMENT, rng) for m in moments]

    @property
    def validation(self) -> Frame | None:
        """The frame on which the learner is chosen, where the history has room for one."""
        return self.frames[self.plan.validation] if self.plan.validation else None


def read_lesson(
    analytics: Analytics, history: History, horizon_days: int, seed: int, progress: Progress
) -> Lesson:
    """Lay the moments out over the history and read what was known at each.

    Raises
    ------
    NotEnoughData
        If the history is too short, too small or one-sided; the message says how much is needed.
    """
    first_us, last_us = history.span_us()
    plan = plan_cutoffs(from_micros(first_us), from_micros(last_us), horizon_days)
    _require_recent(history)
    chosen = (plan.validation,) if plan.validation else ()
    moments = sorted({*plan.serving, *plan.validation_train, *chosen})
    frames = {}
    for done, moment in enumerate(moments, 1):
        frames[moment] = read_frame(analytics, history, moment, horizon_days)
        progress("Churn features", done, len(moments))
    require_enough([frames[m] for m in plan.serving])
    usable = tuple(m for m in plan.validation_train if is_enough(frames[m]))
    room = plan.validation is not None and bool(usable)
    return Lesson(
        replace(plan, validation=plan.validation if room else None, validation_train=usable),
        frames,
        history,
        seed,
    )


def _require_recent(history: History) -> None:
    last_order_us = int(history.order_us.max())
    silent_days = (history.last_us - last_order_us) / DAY_US
    if silent_days > RECENT_DAYS:
        raise NotEnoughData(
            f"Churn needs orders from the last {RECENT_DAYS} days of the data, but the last order"
            f" is {silent_days:.0f} days older than the last event. Bring in the missing orders."
        )
