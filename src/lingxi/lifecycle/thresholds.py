"""How long is too long: learned from the shop's own gaps between orders."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from lingxi.lifecycle.history import DAY_US, History, Ints

MIN_GAPS = 50
AT_RISK_QUANTILE, LAPSED_QUANTILE, LOST_QUANTILE = 0.80, 0.90, 0.97
HORIZON_QUANTILE = 0.85
PRIOR_GAPS = 3.0
MIN_HORIZON_DAYS, MAX_HORIZON_DAYS = 14, 180
_WEEK = 7

Floats = NDArray[np.float64]


class Thresholds(msgspec.Struct, frozen=True):
    """What decides a stage. The defaults hold where fewer than 50 gaps have been seen.

    ``gap_days`` is the geometric mean of the shop's gaps. A customer's own usual gap is the
    geometric mean of theirs and of ``prior_gaps`` times the shop's; without an order for
    ``at_risk_ratio`` (``lapsed_ratio``, ``lost_ratio``) usual gaps a customer is at risk (lapsed,
    lost). ``loyal_orders`` order days without a lapse make a customer loyal. ``horizon_days`` is
    what churn looks ahead. ``gaps`` says how many gaps it was learned from, ``learned`` whether
    that was enough.
    """

    gap_days: float = 45.0
    at_risk_ratio: float = 2.0
    lapsed_ratio: float = 4.0
    lost_ratio: float = 8.0
    loyal_orders: int = 4
    horizon_days: int = 90
    prior_gaps: float = PRIOR_GAPS
    gaps: int = 0
    learned: bool = False


class OrderDays(msgspec.Struct, frozen=True):
    """Orders with those of one customer on one UTC day put together, by customer, then by time.

    ``customer``: index into the history; ``at_us``: first order of the day; ``rank``: 0 for a
    customer's first day; ``gap_days``: since the order day before, NaN for the first.
    """

    customer: Ints
    at_us: Ints
    rank: Ints
    gap_days: Floats


def list_order_days(history: History) -> OrderDays:
    """The days on which each customer ordered, wholly cancelled orders left out."""
    kept = history.without_cancelled()
    customer, at_us = kept.order_customer, kept.order_us
    day = at_us // DAY_US
    first = np.ones(len(day), dtype=np.bool_)
    first[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    customer, at_us = customer[first], at_us[first]
    begins = np.ones(len(customer), dtype=np.bool_)
    begins[1:] = customer[1:] != customer[:-1]
    starts = np.flatnonzero(begins)
    rank = np.arange(len(customer)) - np.repeat(starts, np.diff(np.append(starts, len(customer))))
    gap_days = np.full(len(customer), np.nan)
    gap_days[1:] = np.diff(at_us) / DAY_US
    gap_days[begins] = np.nan
    return OrderDays(customer, at_us, rank.astype(np.int64), gap_days)


def usual_gaps(days: OrderDays, thresholds: Thresholds) -> Floats:
    """Each customer's usual gap as known after each order day, in days, shape as ``days``.

    With k own gaps g it is exp((c log G + sum log g) / (c + k)): the shop's gap G counts like c
    own gaps, so that one short gap does not make a customer due tomorrow.
    """
    logs = np.where(np.isnan(days.gap_days), 0.0, np.log(np.fmax(days.gap_days, 0.5)))
    running = np.cumsum(logs)
    starts = np.flatnonzero(days.rank == 0)
    before = np.where(starts > 0, running[starts - 1], 0.0) if len(starts) else running
    own = running - np.repeat(before, np.diff(np.append(starts, len(running))))
    prior = thresholds.prior_gaps
    mean: Floats = (prior * np.log(thresholds.gap_days) + own) / (prior + days.rank)
    return np.exp(mean)


def learn_thresholds(history: History, *, horizon_days: int = 0) -> Thresholds:
    """Thresholds from the gaps that were observed, or the defaults where there are too few.

    Each gap is divided by what was usual for its customer just before it. Of these ratios the
    0.80, 0.90 and 0.97 quantiles are the limits: four in five, nine in ten and 97 in 100 of those
    who came back had come back by then. Only gaps that ended are seen, so the limits are a little
    early for a young shop.

    Parameters
    ----------
    horizon_days
        The shop's wish; 0 learns it as the 0.85 quantile of the gaps in whole weeks, at least 14
        and at most 180 days or a quarter of the history.
    """
    days = list_order_days(history)
    again = ~np.isnan(days.gap_days)
    gaps = days.gap_days[again]
    if len(gaps) < MIN_GAPS:
        found = Thresholds(gaps=len(gaps))
        return msgspec.structs.replace(found, horizon_days=horizon_days or found.horizon_days)
    gap_days = float(np.exp(np.log(np.fmax(gaps, 0.5)).mean()))
    base = Thresholds(gap_days=max(gap_days, 1.0), gaps=len(gaps), learned=True)
    expected = usual_gaps(days, base)[np.flatnonzero(again) - 1]
    wanted = (AT_RISK_QUANTILE, LAPSED_QUANTILE, LOST_QUANTILE)
    at_risk, lapsed, lost = (float(q) for q in np.quantile(gaps / expected, wanted))
    at_risk = max(at_risk, 1.2)
    lapsed = max(lapsed, 1.2 * at_risk)
    found = msgspec.structs.replace(
        base,
        at_risk_ratio=at_risk,
        lapsed_ratio=lapsed,
        lost_ratio=max(lost, 1.2 * lapsed),
        horizon_days=horizon_days or learn_horizon(gaps, history),
    )
    return msgspec.structs.replace(found, loyal_orders=_learn_loyal_orders(days, found))


def learn_horizon(gaps: Floats, history: History) -> int:
    """Days within which 85% of those who order again have done so, in whole weeks."""
    first_us, last_us = history.span_us()
    weeks = float(np.ceil(np.quantile(gaps, HORIZON_QUANTILE) / _WEEK))
    limit = (last_us - first_us) / DAY_US / 4 // _WEEK
    days = int(min(weeks, limit) * _WEEK)
    return int(np.clip(days, MIN_HORIZON_DAYS, MAX_HORIZON_DAYS))


def count_runs(days: OrderDays, thresholds: Thresholds) -> tuple[Ints, Ints]:
    """For each order day: how often its customer had lapsed before, and which day of the run it is.

    A run is a string of order days without a lapse; it counts from 1.
    """
    limit = np.full(len(days.gap_days), np.inf)
    limit[1:] = (usual_gaps(days, thresholds) * thresholds.lapsed_ratio)[:-1]
    breaks = (days.gap_days >= limit).astype(np.int64)
    begins = (days.rank == 0) | (breaks == 1)
    starts = np.flatnonzero(begins)
    place = np.arange(len(begins)) - np.repeat(starts, np.diff(np.append(starts, len(begins)))) + 1
    total = np.cumsum(breaks)
    firsts = np.flatnonzero(days.rank == 0)
    offset = np.repeat(total[firsts], np.diff(np.append(firsts, len(begins))))
    return (total - offset).astype(np.int64), place.astype(np.int64)


def _learn_loyal_orders(days: OrderDays, thresholds: Thresholds) -> int:
    """The length of run that the top third of repeat customers have reached; 3 to 12."""
    _, place = count_runs(days, thresholds)
    longest = np.zeros(int(days.customer.max()) + 1, dtype=np.int64)
    np.maximum.at(longest, days.customer, place)
    repeated = longest[longest >= 2]
    if not len(repeated):
        return Thresholds().loyal_orders
    return int(np.clip(np.ceil(np.quantile(repeated, 2 / 3)), 3, 12))
