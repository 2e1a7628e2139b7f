"""What a customer will bring in: probability of ordering, times orders, times order value."""

from dataclasses import dataclass

import msgspec
import numpy as np

from lingxi.lifecycle.frames import Floats, Frame
from lingxi.stats.ranks import rank_correlation

YEAR_DAYS = 365
PRIOR_ORDERS = 2.0
_SCALE = (0.5, 2.0)
_RETENTION = (0.5, 1.0)


class ValueModel(msgspec.Struct, frozen=True):
    """The shop's averages that a single customer's numbers are drawn to.

    ``orders_per_day``: repeat orders per day of a customer's life; a customer's own rate counts
    ``horizon_days`` days of it. ``order_cents``: mean net order value; a customer's own counts two
    orders of it. ``scale``: actual over expected revenue in the latest closed window.
    ``retention``: what the same customers bring in one horizon later, as a share.
    """

    horizon_days: int
    orders_per_day: float
    order_cents: float
    scale: float = 1.0
    retention: float = 1.0


def fit_value(frame: Frame, order_probability: Floats | None, horizon_days: int) -> ValueModel:
    """Averages at a moment; with a known outcome also the level of what followed.

    Parameters
    ----------
    order_probability
        Of each row, from a model that had not seen its outcome; nothing where churn is unknown.
    """
    repeats = np.maximum(frame.column("frequency") - 1, 0).sum()
    lived = frame.column("first_order_days").sum()
    orders = frame.column("frequency").sum()
    revenue = np.maximum(np.nan_to_num(frame.column("money_cents")), 0).sum()
    model = ValueModel(
        horizon_days=horizon_days,
        orders_per_day=float((repeats + 1) / (lived + horizon_days)),
        order_cents=float(revenue / orders) if orders else 0.0,
    )
    if not len(frame.revenue_cents):
        return model
    expected = expect_revenue(model, frame, order_probability).sum()
    actual = frame.revenue_cents.sum()
    scale = float(np.clip(actual / expected, *_SCALE)) if expected > 0 else 1.0
    return msgspec.structs.replace(model, scale=scale)


def expect_revenue(model: ValueModel, frame: Frame, order_probability: Floats | None) -> Floats:
    """Cents expected of each row within the horizon, shape (n,).

    P(any order) x E[orders | at least one] x order value. Given a Poisson rate r over the horizon
    the middle factor is r / (1 - exp(-r)); without a churn model the first is 1 - exp(-r), and the
    product is r. Rate and order value are drawn to the shop's, the less is known the more.
    """
    orders = frame.column("frequency")
    lived = frame.column("first_order_days")
    prior = float(model.horizon_days)
    rate = (np.maximum(orders - 1, 0) + prior * model.orders_per_day) / (lived + prior)
    expected = np.maximum(rate * model.horizon_days, 1e-9)
    some = -np.expm1(-expected)
    probability = some if order_probability is None else order_probability
    revenue = np.maximum(np.nan_to_num(frame.column("money_cents")), 0)
    value = (revenue + PRIOR_ORDERS * model.order_cents) / (orders + PRIOR_ORDERS)
    found: Floats = model.scale * probability * expected / some * value
    return found


def expect_year(model: ValueModel, frame: Frame, order_probability: Floats | None) -> Floats:
    """Cents expected of each row within 365 days, shape (n,).

    The horizon's revenue, then that of each further horizon at ``retention`` of the one before.
    """
    blocks = YEAR_DAYS / model.horizon_days
    whole = int(blocks)
    powers = model.retention ** np.arange(whole + 1)
    total = float(powers[:whole].sum() + (blocks - whole) * powers[whole])
    return expect_revenue(model, frame, order_probability) * total


def measure_retention(first_cents: Floats, second_cents: Floats) -> float:
    """Revenue of the same customers in two horizons one after the other, second over first.

    Kept within 0.5 and 1: one year of data cannot tell growth from a season.

    >>> measure_retention(np.array([100.0, 100.0]), np.array([150.0, 0.0]))
    0.75
    """
    first, second = first_cents.sum(), second_cents.sum()
    return float(np.clip(second / first, *_RETENTION)) if first > 0 else 1.0


@dataclass(frozen=True)
class BackTest:
    """Expected against actual revenue of a window that the expectation had not seen.

    ``bias``: expected over actual total, less one. ``spearman``: rank correlation.
    ``top_decile``: share of the actual revenue that the tenth with the highest expectation brought.
    """

    bias: float
    spearman: float
    top_decile: float
    mean_absolute_cents: float


def measure_value(expected: Floats, actual: Floats) -> BackTest:
    """How good an expectation of revenue was.

    >>> measure_value(np.arange(1.0, 11.0), np.arange(1.0, 11.0)).bias
    0.0
    """
    head = np.argsort(-expected, kind="stable")[: int(np.ceil(len(expected) / 10))]
    total = actual.sum()
    return BackTest(
        bias=float(expected.sum() / total - 1) if total else 0.0,
        spearman=rank_correlation(expected, actual),
        top_decile=float(actual[head].sum() / total) if total else 0.0,
        mean_absolute_cents=float(np.abs(expected - actual).mean()),
    )
