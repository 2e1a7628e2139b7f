"""Features of what a customer does: visits, orders, money, rhythm."""

from collections.abc import Iterator

import ibis

from lingxi.features.feature import Expression, Feature, Grain, divide
from lingxi.features.grains import DAY_SECONDS, DAY_US, WINDOWS
from lingxi.features.shop import SESSION
from lingxi.schema import Name

_MONEY_EVENTS = (Name.ORDER_COMPLETED, Name.ORDER_REFUNDED)


def _count(name: Name, window: int) -> Expression:
    """Events of one name within a window, given by its index in ``WINDOWS``."""
    return lambda t: t.n.sum(where=(t["name"] == name.value) & (t["window"] <= window))


def _count_rows(window: int) -> Expression:
    return lambda t: t.count(where=t["window"] <= window)


def _add_money(*names: Name, window: int = len(WINDOWS), sign: int = 1) -> Expression:
    """Signed cents of some events within a window: 0 without such an event, unknown without one
    amount."""

    def expression(t: ibis.Table) -> ibis.Value:
        where = t["name"].isin([name.value for name in names]) & (t["window"] <= window)
        return ibis.ifelse(t.count(where=where) == 0, 0, sign * t.cents.sum(where=where))

    return expression


def gap_std_days(t: ibis.Table) -> ibis.Value:
    """Sample standard deviation of the gaps, in days; unknown before three orders.

    Shifted by the whole part of the mean, so that the sum of squares is one of small integers:
    exact, in any order of the rows. Chan, Golub and LeVeque (1983), The American Statistician
    37(3), eq. 1.7 (shifted data).
    """
    gaps = (t.n - 1).nullif(0)
    span = t.last_s - t.first_s
    shift = span // gaps
    deviation = t.at_s - t.previous_s - shift
    squares = (deviation * deviation).sum().cast("float64")
    count = t.n.max() - 1
    rest = (span / gaps - shift).max()
    variance = (squares - count * rest * rest) / (count - 1).nullif(0)
    # rounding may leave a variance of zero a hair below it
    std: ibis.Value = variance.clip(lower=0.0).sqrt() / DAY_SECONDS
    return std


def _list_activity() -> Iterator[Feature]:
    grain = Grain.ACTIVITY
    refund = Name.ORDER_REFUNDED.value
    yield Feature("tenure_days", "days", grain, lambda t: t.oldest_us.max() / DAY_US)
    yield Feature("last_seen_days", "days", grain, lambda t: t.youngest_us.min() / DAY_US)
    yield Feature("money_cents", "cents", grain, _add_money(*_MONEY_EVENTS))
    yield Feature("gross_cents", "cents", grain, _add_money(Name.ORDER_COMPLETED))
    refunded = _add_money(Name.ORDER_REFUNDED, sign=-1)
    yield Feature("refund_cents", "cents", grain, refunded, tracks=refund)
    counted = (
        ("views", Name.PRODUCT_VIEWED, Name.PRODUCT_VIEWED),
        ("carts", Name.PRODUCT_ADDED, Name.PRODUCT_ADDED),
        ("searches", Name.PRODUCTS_SEARCHED, Name.PRODUCTS_SEARCHED),
        ("refunds", Name.ORDER_REFUNDED, Name.ORDER_REFUNDED),
    )
    for index, days in enumerate(WINDOWS):
        money = _add_money(*_MONEY_EVENTS, window=index)
        yield Feature(f"revenue_{days}d_cents", "cents", grain, money)
        for name, event, tracked in counted:
            yield Feature(f"{name}_{days}d", "count", grain, _count(event, index), 0, tracked.value)


def _list_sessions() -> Iterator[Feature]:
    for index, days in enumerate(WINDOWS):
        name = f"sessions_{days}d"
        yield Feature(name, "count", Grain.SESSIONS, _count_rows(index), 0, SESSION)


def _list_orders() -> Iterator[Feature]:
    grain = Grain.ORDERS
    yield Feature("frequency", "count", grain, lambda t: t.count(), 0)
    for index, days in enumerate(WINDOWS):
        yield Feature(f"orders_{days}d", "count", grain, _count_rows(index), 0)
    yield Feature("recency_days", "days", grain, lambda t: t.age_us.min() / DAY_US)
    yield Feature("first_order_days", "days", grain, lambda t: t.age_us.max() / DAY_US)
    yield Feature(
        "average_order_cents",
        "cents",
        grain,
        lambda t: t.amount_cents.sum() / t.amount_cents.count().nullif(0),
    )
    yield Feature(
        "discount_share",
        "share",
        grain,
        lambda t: t.count(where=t.discounted) / t.count(),
    )
    yield Feature(
        "gap_mean_days",
        "days",
        grain,
        lambda t: (t.last_s - t.first_s).max() / (t.n.max() - 1).nullif(0) / DAY_SECONDS,
    )
    yield Feature(
        "gap_median_days", "days", grain, lambda t: (t.at_s - t.previous_s).median() / DAY_SECONDS
    )
    yield Feature("gap_std_days", "days", grain, gap_std_days)
    yield Feature(
        "gap_last_days",
        "days",
        grain,
        lambda t: (t.at_s - t.previous_s).max(where=t.is_last) / DAY_SECONDS,
    )


def _get_top(column: str) -> Expression:
    return lambda t: t[column].max(where=t["rank"] == 0)


def _list_habits() -> Iterator[Feature]:
    yield Feature("weekday_top", "weekday", Grain.WEEKDAYS, _get_top("weekday"))
    yield Feature("weekday_top_share", "share", Grain.WEEKDAYS, _get_top("share"))
    yield Feature("hour_top", "hour", Grain.HOURS, _get_top("hour"))
    yield Feature("hour_top_share", "share", Grain.HOURS, _get_top("share"))


def _list_ratios() -> Iterator[Feature]:
    above, below = "gap_std_days", "gap_mean_days"
    yield Feature("gap_cv", "ratio", Grain.CUSTOMER, divide(above, below), needs=(above, below))
    above = "recency_days"
    yield Feature(
        "recency_over_gap", "ratio", Grain.CUSTOMER, divide(above, below), needs=(above, below)
    )
    above, below = "refund_cents", "gross_cents"
    yield Feature(
        "return_rate", "share", Grain.CUSTOMER, divide(above, below), needs=(above, below)
    )


def list_behaviour() -> Iterator[Feature]:
    """All features of behaviour, in the order of the documentation."""
    yield from _list_orders()
    yield from _list_ratios()
    yield from _list_activity()
    yield from _list_sessions()
    yield from _list_habits()
