"""Stages from registration to loss, as an explicit state machine over a customer's order days.

Between orders only time moves a customer, at exact moments: at risk, lapsed, lost. An order moves
them at once. So the whole past of every customer's stage follows from the history and the
thresholds, for any moment, without having watched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lingxi.lifecycle.history import DAY_US, History, Ints
from lingxi.lifecycle.thresholds import (
    OrderDays,
    Thresholds,
    count_runs,
    list_order_days,
    usual_gaps,
)


class Stage(StrEnum):
    """Where a customer is; every known customer is in exactly one."""

    REGISTERED = "registered"
    """Known to the shop, no order yet."""
    NEW = "new"
    """First order, still in time for a second."""
    ACTIVE = "active"
    """Orders again and again, in time."""
    LOYAL = "loyal"
    """So many order days without a lapse that it has become a habit."""
    AT_RISK = "at_risk"
    """Later than four in five of those who came back."""
    LAPSED = "lapsed"
    """Later than nine in ten of those who came back."""
    LOST = "lost"
    """Later than 97 in 100 of those who came back."""
    WON_BACK = "won_back"
    """Ordered again after having lapsed or been lost, and is in time for the next."""


STAGES: tuple[Stage, ...] = tuple(Stage)

TRANSITIONS: Mapping[Stage, frozenset[Stage]] = MappingProxyType(
    {
        Stage.REGISTERED: frozenset({Stage.NEW}),
        Stage.NEW: frozenset({Stage.ACTIVE, Stage.AT_RISK}),
        Stage.ACTIVE: frozenset({Stage.LOYAL, Stage.AT_RISK}),
        Stage.LOYAL: frozenset({Stage.AT_RISK}),
        Stage.AT_RISK: frozenset({Stage.ACTIVE, Stage.LOYAL, Stage.LAPSED}),
        Stage.LAPSED: frozenset({Stage.LOST, Stage.WON_BACK}),
        Stage.LOST: frozenset({Stage.WON_BACK}),
        Stage.WON_BACK: frozenset({Stage.ACTIVE, Stage.AT_RISK}),
    }
)
"""What may follow on what; nothing else can."""

_CODE = {stage: code for code, stage in enumerate(STAGES)}
NOWHERE = -1


@dataclass(frozen=True)
class Transitions:
    """Every change of stage, by customer, then by time.

    ``customer``: index into the history. ``before`` and ``after`` are indices into ``STAGES``;
    ``before`` is -1 where a customer first appears. ``order_day`` is the index of the latest order
    day at the time, -1 before the first.
    """

    customer: Ints
    at_us: Ints
    before: Ints
    after: Ints
    order_day: Ints


def derive_transitions(history: History, thresholds: Thresholds, until_us: int) -> Transitions:
    """All changes of stage up to and including a moment, as known at the end of ``history``."""
    days = list_order_days(history)
    entered = _stages_entered(days, thresholds)
    limits_us = _limits(days, thresholds)
    following = np.full(len(days.at_us), np.iinfo(np.int64).max)
    same = days.customer[1:] == days.customer[:-1]
    following[:-1][same] = days.at_us[1:][same]
    people = np.arange(len(history.customers))
    number = np.arange(len(days.at_us))
    parts = [
        (people, history.seen_us, np.full(len(people), _CODE[Stage.REGISTERED]), people * 0 - 1),
        (days.customer, days.at_us, entered, number),
    ]
    for stage, limit in zip((Stage.AT_RISK, Stage.LAPSED, Stage.LOST), limits_us, strict=True):
        due = days.at_us + limit
        reached = due <= following
        code = np.full(int(reached.sum()), _CODE[stage])
        parts.append((days.customer[reached], due[reached], code, number[reached]))
    return _join(parts, until_us)


def stages_as_of(
    history: History, thresholds: Thresholds, moment_us: int
) -> tuple[Ints, Ints, Ints]:
    """Every customer's stage at a moment: customers, index into ``STAGES``, since when (us).

    Only what was known then counts, cancellations included.
    """
    known = history.as_of(moment_us)
    changes = derive_transitions(known, thresholds, moment_us)
    last = np.flatnonzero(np.diff(changes.customer, append=-1))
    return known.customers, changes.after[last], changes.at_us[last]


def count_stages(history: History, thresholds: Thresholds, moments_us: Ints) -> NDArray[np.int64]:
    """Customers in each stage at each moment, shape (n_moments, 8), columns as ``STAGES``.

    As known at the end of ``history``: an order cancelled since does not count at any moment.
    """
    top = int(moments_us.max()) if len(moments_us) else 0
    changes = derive_transitions(history, thresholds, top)
    counts = np.zeros((len(moments_us), len(STAGES)), dtype=np.int64)
    for code in range(len(STAGES)):
        gained = np.sort(changes.at_us[changes.after == code])
        left = np.sort(changes.at_us[changes.before == code])
        counts[:, code] = np.searchsorted(gained, moments_us, side="right")
        counts[:, code] -= np.searchsorted(left, moments_us, side="right")
    return counts


def _stages_entered(days: OrderDays, thresholds: Thresholds) -> Ints:
    """The stage that each order day brings, index into ``STAGES``."""
    lapses, place = count_runs(days, thresholds)
    entered = np.full(len(place), _CODE[Stage.ACTIVE])
    entered[place >= thresholds.loyal_orders] = _CODE[Stage.LOYAL]
    entered[place == 1] = _CODE[Stage.WON_BACK]
    entered[(place == 1) & (lapses == 0)] = _CODE[Stage.NEW]
    return entered


def _limits(days: OrderDays, thresholds: Thresholds) -> tuple[Ints, Ints, Ints]:
    """Microseconds after each order day at which its customer is at risk, lapsed, lost."""
    usual = usual_gaps(days, thresholds) * DAY_US
    ratios = (thresholds.at_risk_ratio, thresholds.lapsed_ratio, thresholds.lost_ratio)
    at_risk, lapsed, lost = (np.ceil(usual * ratio).astype(np.int64) for ratio in ratios)
    return at_risk, lapsed, lost


def _join(parts: list[tuple[Ints, Ints, Ints, Ints]], until_us: int) -> Transitions:
    customer, at_us, after, order_day = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    kept = at_us <= until_us
    customer, at_us, after, order_day = (customer[kept], at_us[kept], after[kept], order_day[kept])
    registered = after != _CODE[Stage.REGISTERED]
    order = np.lexsort((order_day, at_us, registered, customer))
    customer, at_us, after, order_day = (
        customer[order],
        at_us[order],
        after[order],
        order_day[order],
    )
    before = np.full(len(after), NOWHERE)
    same = customer[1:] == customer[:-1]
    before[1:][same] = after[:-1][same]
    moved = before != after
    return Transitions(customer[moved], at_us[moved], before[moved], after[moved], order_day[moved])
