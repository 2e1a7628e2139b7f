"""Learning from the past only: which moments to stand at, and which model to trust after."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lingxi.errors import NotEnoughData


@dataclass(frozen=True)
class TemporalPlan:
    """Moments to stand at; the outcome of each is looked up in the ``horizon_days`` after it.

    ``test`` is the latest whose outcome is known. ``train`` come before it by at least a horizon,
    so that no outcome seen in training happens after ``test``. ``validation`` and
    ``validation_train`` are the same one step earlier: the choice among models is made there, and
    nothing of it reaches beyond ``test``. They are empty where the history is too short for that.
    """

    horizon_days: int
    test: datetime
    train: tuple[datetime, ...]
    validation: datetime | None = None
    validation_train: tuple[datetime, ...] = ()

    @property
    def serving(self) -> tuple[datetime, ...]:
        """Moments for the model that is put to use: the training ones and ``test``."""
        return (*self.train, self.test)


def plan_cutoffs(
    data_from: datetime,
    data_to: datetime,
    horizon_days: int,
    *,
    n: int = 3,
    step_days: int = 30,
    history_days: int = 60,
) -> TemporalPlan:
    """Lay training, validation and test moments out over the history.

    At most ``n`` training moments, ``step_days`` apart, each with ``history_days`` before it; half
    of that where the history has room for no other, and for validation.

    Raises
    ------
    NotEnoughData
        If the history is shorter than two horizons and half of ``history_days``.

    Examples
    --------
    >>> from datetime import UTC
    >>> day = lambda m, d: datetime(2011, m, d, tzinfo=UTC)
    >>> plan = plan_cutoffs(day(1, 1), day(12, 9), 90)
    >>> [t.strftime("%m-%d") for t in plan.train], plan.test.strftime("%m-%d")
    (['04-13', '05-13', '06-12'], '09-10')
    """
    horizon = timedelta(days=horizon_days)
    test = data_to - horizon
    earlier, least = test - horizon, timedelta(days=history_days / 2)
    before = _moments_before(earlier - horizon, data_from + least, n, step_days)
    for history in (2 * least, least):
        if train := _moments_before(earlier, data_from + history, n, step_days):
            return TemporalPlan(horizon_days, test, train, earlier if before else None, before)
    needed = 2 * horizon_days + history_days // 2
    have = max(0, (data_to - data_from).days)
    raise NotEnoughData(
        f"To learn and test what happens within {horizon_days} days, {needed} days of history are"
        f" needed, but there are {have}. Bring in older orders, or set learning.horizon_days lower."
    )


def _moments_before(
    latest: datetime, earliest: datetime, n: int, step_days: int
) -> tuple[datetime, ...]:
    found = [latest - timedelta(days=step_days * i) for i in range(n)]
    return tuple(sorted(t for t in found if t >= earliest))


def choose_simplest(values: Sequence[float], error: float) -> int:
    """The number of the first model whose value is within one standard error of the best.

    Parameters
    ----------
    values
        Quality of each model, higher is better, the simplest model first.
    error
        Standard error of the best one's value. Not that of the paired difference, which is
        smaller: it knows the chance in the customers, but not that the next season differs.

    Source
    ------
    Breiman, Friedman, Olshen and Stone (1984), section 3.4.3.

    Examples
    --------
    >>> choose_simplest([0.738, 0.70, 0.741], 0.004)
    0
    """
    best = max(values)
    return next(i for i, value in enumerate(values) if best - value <= error)
