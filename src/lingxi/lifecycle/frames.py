"""What could be known of each buyer at a moment, and whether they ordered in the time after it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lingxi.features import compute_features
from lingxi.lifecycle.concepts import CHURN_FEATURES
from lingxi.lifecycle.history import DAY_US, NEVER_US, History, Ints
from lingxi.lifecycle.rfm import score_rfm
from lingxi.store import Analytics
from lingxi.store.tables import to_micros

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]


@dataclass(frozen=True)
class Frame:
    """Buyers at one moment: those with at least one order that still counted then.

    ``customers``: shape (n,), ascending. ``X``: shape (n, n_features), columns as
    ``CHURN_FEATURES``, NaN where a value cannot be known. ``churned``: 1 where no order followed
    within the horizon; empty where the future is not known yet. ``revenue_cents``: net revenue
    within the horizon; likewise.
    """

    moment: datetime
    horizon_days: int
    customers: Ints
    X: Floats
    churned: Labels
    revenue_cents: Floats

    def column(self, name: str) -> Floats:
        """One feature of all rows."""
        return self.X[:, CHURN_FEATURES.index(name)]

    def rfm_sum(self) -> Floats:
        """The RFM scores added up: the rule every model must beat."""
        scores = score_rfm(
            self.column("recency_days"), self.column("frequency"), self.column("money_cents")
        )
        return scores.total.astype(np.float64)

    def take(self, rows: NDArray[np.intp]) -> "Frame":
        """Some of the rows."""
        known = len(self.churned) > 0
        return Frame(
            self.moment,
            self.horizon_days,
            self.customers[rows],
            self.X[rows],
            self.churned[rows] if known else self.churned,
            self.revenue_cents[rows] if known else self.revenue_cents,
        )


def read_frame(
    analytics: Analytics, history: History, moment: datetime, horizon_days: int
) -> Frame:
    """Features up to ``moment`` and, where the whole horizon has passed, what followed."""
    table = compute_features(analytics, moment, names=CHURN_FEATURES)
    customers = table.column("customer").to_numpy().astype(np.int64)
    X = np.column_stack([_floats(table, name) for name in CHURN_FEATURES])
    buyers = np.nan_to_num(X[:, CHURN_FEATURES.index("frequency")]) >= 1
    frame = Frame(
        moment, horizon_days, customers[buyers], X[buyers], np.zeros(0, np.int8), np.zeros(0)
    )
    start_us = to_micros(moment)
    end_us = start_us + horizon_days * DAY_US
    if end_us > history.last_us:
        return frame
    churned, revenue = observe_outcome(history, frame.customers, start_us, end_us)
    return replace(frame, churned=churned, revenue_cents=revenue)


def observe_outcome(
    history: History, customers: Ints, start_us: int, end_us: int
) -> tuple[Labels, Floats]:
    """Who did not order in (start, end], and what each brought in net of refunds then.

    As known at the end: an order taken back in full by then is no order.
    """
    known = history.as_of(end_us)
    place = np.searchsorted(known.customers, customers)
    kept = (known.cancelled_us == NEVER_US) & (known.order_us > start_us)
    orders = np.bincount(known.order_customer[kept], minlength=len(known.customers))
    revenue = known.sum_revenue(after_us=start_us).astype(np.float64)
    return (orders[place] == 0).astype(np.int8), revenue[place]


def stack(frames: Sequence[Frame]) -> tuple[Floats, Labels]:
    """Rows and labels of several moments, one under the other."""
    return np.vstack([f.X for f in frames]), np.concatenate([f.churned for f in frames])


def sample(frame: Frame, rows: int, rng: np.random.Generator) -> Frame:
    """At most ``rows`` rows, drawn without replacement; the frame itself where it has no more."""
    if len(frame.customers) <= rows:
        return frame
    chosen = np.sort(rng.choice(len(frame.customers), rows, replace=False))
    return frame.take(chosen.astype(np.intp))


def _floats(table: pa.Table, name: str) -> Floats:
    found: Floats = table.column(name).to_numpy().astype(np.float64)
    return found
