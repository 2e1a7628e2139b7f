"""The shop at a glance: the last 30 days beside the 30 before, stages over time, what to do."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from lingxi.app.queries.cached import Cached
from lingxi.app.views import OverviewView, WeekPoint
from lingxi.lifecycle import load_thresholds
from lingxi.lifecycle.history import read_history
from lingxi.lifecycle.stages import STAGES, count_stages
from lingxi.lifecycle.tables import customer_state
from lingxi.policy import get_totals
from lingxi.schema import Name
from lingxi.store import Analytics
from lingxi.store.tables import EPOCH, to_micros

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_WINDOW = timedelta(days=30)
_WEEKS = 52
_DAY_SECONDS = 86_400
_AT_RISK = ("at_risk", "lapsed")


class Overview:
    """The overview, kept while it is fresh; a new plan or model shows at once."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._cached = Cached(self._make)

    def get(self) -> OverviewView:
        """The overview as of now."""
        with self._shop.store.read() as tx:
            totals = get_totals(tx)
            scored = tx.execute(sa.select(sa.func.max(customer_state.c.as_of))).scalar_one()
        edition = f"{scored} {totals}"
        position = self._shop.store.log.position()
        return self._cached.get(position, edition, self._shop.clock.now())

    def _make(self) -> OverviewView:
        shop = self._shop
        with shop.store.analytics() as analytics:
            days = _read_days(analytics)
            weeks = _read_weeks(shop, analytics, days)
            newest = _read_newest(analytics)
        end = max(days) + timedelta(days=1) if days else None
        last = _sum_window(days, end, 0)
        before = _sum_window(days, end, 1)
        stages, levels, at_risk, at_risk_value = _read_states(shop)
        with shop.store.read() as tx:
            totals = get_totals(tx)
        return OverviewView(
            as_of=shop.clock.now(),
            data_to=newest,
            currency=shop.settings.shop.currency,
            orders=last[0],
            orders_before=before[0],
            revenue_cents=last[1],
            revenue_before_cents=before[1],
            active_customers=last[2],
            active_customers_before=before[2],
            customers=sum(stages.values()),
            at_risk_customers=at_risk,
            at_risk_value_cents=at_risk_value,
            stages=stages,
            churn_levels=levels,
            weeks=weeks,
            todo={} if totals is None else totals.customers,
            todo_value_cents={} if totals is None else totals.expected_value_cents,
        )


Day = tuple[int, int, frozenset[int]]
"""Orders, revenue less refunds in minor units, and the known customers who ordered."""


def _read_days(analytics: Analytics) -> dict[datetime, Day]:
    """Orders, revenue and customers of each UTC day."""
    events = analytics.events
    money = events.filter(
        events.line == 0,
        events.name.isin([Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value]),
    )
    bought = money.name == Name.ORDER_COMPLETED.value
    amount = money.event_amount_cents.fill_null(0)
    first = money.position.min().over(group_by=[money.name, money.order_id])
    further = money.order_id.notnull() & (money.position != first)  # parts of one order
    money = money.mutate(is_order=bought & ~further)
    rows = (
        money.mutate(day=money.occurred_at.epoch_seconds().cast("int64") // _DAY_SECONDS)
        .group_by("day")
        .aggregate(
            orders=money.is_order.sum(),
            revenue_cents=amount.sum(where=bought).fill_null(0)
            - amount.sum(where=~bought).fill_null(0),
            customers=money.customer.collect(where=bought & money.known, distinct=True),
        )
    )
    return {
        EPOCH + timedelta(days=row["day"]): (
            int(row["orders"]),
            int(row["revenue_cents"]),
            frozenset(row["customers"] or ()),
        )
        for row in analytics.to_arrow(rows).to_pylist()
    }


def _read_newest(analytics: Analytics) -> datetime | None:
    """When the newest order was placed."""
    events = analytics.events
    orders = events.filter(events.name == Name.ORDER_COMPLETED.value)
    table = analytics.to_arrow(orders.aggregate(newest=orders.occurred_at.max()))
    newest: datetime | None = table.column("newest")[0].as_py()
    return newest


def _sum_window(days: dict[datetime, Day], end: datetime | None, back: int) -> tuple[int, int, int]:
    """Orders, revenue and active customers of the window that ends ``back`` windows before."""
    if end is None:
        return 0, 0, 0
    to = end - back * _WINDOW
    chosen = [day for at, day in days.items() if to - _WINDOW <= at < to]
    people: set[int] = set().union(*(day[2] for day in chosen))
    return sum(day[0] for day in chosen), sum(day[1] for day in chosen), len(people)


def _read_weeks(
    shop: "Shop", analytics: Analytics, days: dict[datetime, Day]
) -> tuple[WeekPoint, ...]:
    """The last 52 whole or begun weeks, each with the customers in every stage at its end."""
    if not days:
        return ()
    start, end = min(days), max(days) + timedelta(days=1)
    count = min(_WEEKS, (end - start + timedelta(days=6)) // timedelta(days=7))
    ends = [end - timedelta(days=7) * back for back in range(count)][::-1]
    history = read_history(analytics)
    moments = np.array([to_micros(moment) for moment in ends], dtype=np.int64)
    counts = count_stages(history, load_thresholds(shop.store), moments)
    return tuple(
        _to_point(moment, days, dict(zip(STAGES, map(int, row), strict=True)))
        for moment, row in zip(ends, counts, strict=True)
    )


def _to_point(end: datetime, days: dict[datetime, Day], stages: dict[str, int]) -> WeekPoint:
    chosen = [day for at, day in days.items() if end - timedelta(days=7) <= at < end]
    people: set[int] = set().union(*(day[2] for day in chosen))
    return WeekPoint(
        week=end - timedelta(days=7),
        orders=sum(day[0] for day in chosen),
        revenue_cents=sum(day[1] for day in chosen),
        active_customers=len(people),
        stages={str(stage): n for stage, n in stages.items()},
    )


def _read_states(shop: "Shop") -> tuple[dict[str, int], dict[str, int], int, int]:
    """Customers by stage and by churn level; how many drift away, and their yearly value."""
    c = customer_state.c
    with shop.store.read() as tx:
        by_stage = tx.execute(
            sa.select(c.stage, sa.func.count(), sa.func.sum(c.value_cents)).group_by(c.stage)
        ).all()
        by_level = tx.execute(
            sa.select(c.churn_level, sa.func.count())
            .where(c.churn_level.is_not(None))
            .group_by(c.churn_level)
        ).all()
    stages = {row[0]: row[1] for row in by_stage}
    at_risk = sum(row[1] for row in by_stage if row[0] in _AT_RISK)
    value = sum(int(row[2] or 0) for row in by_stage if row[0] in _AT_RISK)
    return stages, {row[0]: row[1] for row in by_level}, at_risk, value
