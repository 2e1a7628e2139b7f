"""The tables that features are aggregated from, each an Ibis expression over the events.

Moments become whole microseconds or seconds before any arithmetic, and sums are sums of integers,
so that the numbers do not depend on the engine or on the order of the rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dt

from lingxi.features.feature import Grain
from lingxi.schema import SYSTEM_EVENTS, Name

SECOND_US = 1_000_000
DAY_SECONDS = 86_400
DAY_US = DAY_SECONDS * SECOND_US
WINDOWS = (7, 30, 90, 365)
_OBSERVED = (
    "customer",
    "position",
    "line",
    "name",
    "order_id",
    "session_id",
    "country",
    "category",
    "event_amount_cents",
    "item_id",
    "quantity",
    "price_cents",
    "properties",
)
_SAME_ORDER = {"group_by": ["customer", "order_id"]}
_DISCOUNT = r'"discount"\s*:\s*"?0*\.?0*[1-9]|"coupon"\s*:\s*"[^"]'


@dataclass(frozen=True)
class Scene:
    """What the grains are made from: observed events; the moment and what the shop records (one
    row); its prices; the categories of its items."""

    rows: ibis.Table
    moment: ibis.Table
    prices: ibis.Table
    categories: ibis.Table


epoch_us = ibis.udf.scalar.builtin(
    name="epoch_us", signature=((dt.Timestamp(timezone="UTC"),), dt.int64)
)(lambda moment: moment)
"""Microseconds since 1970: DuckDB's own function, which the store gives to Spark as well.

Subtracting timestamps instead costs DuckDB eighty times as much: it goes by the calendar."""


def observe(events: ibis.Table, moment: ibis.Table) -> ibis.Table:
    """Rows of known customers up to ``as_of``, the only row of ``moment``, with their age.

    The comparison is by event time, so an event that arrives late counts from the moment it
    happened. ``at_us`` and ``age_us`` are microseconds since 1970 and before ``as_of``. All of it
    stands in one join, so that an engine reads the events once for all grains.
    """
    kept = events.filter(
        events.customer.notnull(),
        events.known,
        events.name.notin([name.value for name in SYSTEM_EVENTS]),
    )
    kept = kept.mutate(at_us=epoch_us(kept.occurred_at))
    moment = moment.select("as_of", as_of_us=epoch_us(moment.as_of))
    return kept.inner_join(moment, kept.occurred_at <= moment.as_of).select(
        *(kept[name] for name in _OBSERVED),
        kept.at_us,
        age_us=moment.as_of_us - kept.at_us,
    )


def _put_window(table: ibis.Table) -> ibis.Table:
    """The index in ``WINDOWS`` of the shortest window that holds the row, or their number."""
    cases = [(table.age_us < days * DAY_US, index) for index, days in enumerate(WINDOWS)]
    return table.mutate(window=ibis.cases(*cases, else_=len(WINDOWS)))


def list_activity(scene: Scene) -> ibis.Table:
    """Counts and sums by customer, event name and window."""
    events = scene.rows.filter(scene.rows.line == 0)
    cents = ibis.cases(
        (events.name == Name.ORDER_COMPLETED.value, events.event_amount_cents),
        (events.name == Name.ORDER_REFUNDED.value, -events.event_amount_cents),
    )
    events = _put_window(events.mutate(cents=cents))
    return events.group_by("customer", "name", "window").aggregate(
        n=events.count(),
        cents=events.cents.sum().cast("int64"),
        youngest_us=events.age_us.min(),
        oldest_us=events.age_us.max(),
    )


def list_orders(scene: Scene) -> ibis.Table:
    """Kept orders: those that refunds have not cancelled in full; the parts of one are one order,
    placed when its first part was.

    Columns ``at_s`` (seconds since 1970), ``previous_s`` (the order before, if any), ``n`` (the
    customer's kept orders), ``first_s``, ``last_s``, ``is_first``, ``is_last``, ``discounted``.
    """
    parts = _drop_cancelled(scene)
    orders = parts.filter(parts.position == parts.order_position)
    mine = {"group_by": "customer"}
    in_time = {**mine, "order_by": [orders.at_us, orders.position]}
    back = {**mine, "order_by": [orders.at_us.desc(), orders.position.desc()]}
    return _put_window(orders).select(
        "customer",
        "position",
        "age_us",
        "window",
        "at_s",
        amount_cents=orders.ordered_cents,
        previous_s=orders.at_s.lag().over(**in_time),
        n=orders.position.count().over(**mine),
        first_s=orders.at_s.min().over(**mine),
        last_s=orders.at_s.max().over(**mine),
        is_first=ibis.row_number().over(**in_time) == 0,
        is_last=ibis.row_number().over(**back) == 0,
        discounted=orders.properties.re_search(_DISCOUNT).fill_null(False),
    )


def _drop_cancelled(scene: Scene) -> ibis.Table:
    """Parts of orders without those whose refunds, so far, reach their goods value.

    ``order_position`` is the position of the order's first part, ``ordered_cents`` the order's
    whole goods value. What was sent back in full says nothing about what the customer wants, can
    spend or when they come again; the money is in the refunds anyway. An order without a number
    cannot be cancelled.
    """
    names = [Name.ORDER_COMPLETED.value, Name.ORDER_REFUNDED.value]
    money = scene.rows.filter(scene.rows.line == 0, scene.rows.name.isin(names))
    money = money.mutate(
        is_order=money.name == Name.ORDER_COMPLETED.value,
        at_s=(money.at_us // SECOND_US).cast("int64"),
    )
    money = money.mutate(
        ordered_cents=money.event_amount_cents.sum(where=money.is_order).over(**_SAME_ORDER),
        refunded_cents=money.event_amount_cents.sum(where=~money.is_order).over(**_SAME_ORDER),
    )
    covered = (money.refunded_cents > 0) & (money.refunded_cents >= money.ordered_cents)
    cancelled = money.order_id.notnull() & covered.fill_null(False)
    parts = money.filter(money.is_order, ~cancelled)
    in_time = {**_SAME_ORDER, "order_by": [parts.at_us, parts.position]}
    named = parts.order_id.notnull()
    return parts.mutate(
        order_position=ibis.ifelse(named, parts.position.first().over(**in_time), parts.position),
        ordered_cents=ibis.ifelse(named, parts.ordered_cents, parts.event_amount_cents),
    )


def list_lines(scene: Scene) -> ibis.Table:
    """Bought lines of kept orders, with the unit price and the item's category.

    ``order_position`` says which order; ``position`` and ``line`` which line.
    """
    kept = list_orders(scene)
    orders = kept.select("is_first", "is_last", "window", order_position=kept.position)
    parts = _drop_cancelled(scene).select("position", "order_position")
    rows = scene.rows.filter(
        scene.rows.name == Name.ORDER_COMPLETED.value, scene.rows.item_id.notnull()
    )
    return (
        rows.inner_join(parts, "position")
        .inner_join(orders, "order_position")
        .select(
            "order_position",
            "customer",
            "position",
            "line",
            "item_id",
            "quantity",
            "category",
            "price_cents",
            "window",
            "is_first",
            "is_last",
        )
    )


def list_items(scene: Scene) -> ibis.Table:
    """Bought items, with the shortest window that holds a purchase and the number of orders."""
    lines = list_lines(scene)
    return lines.group_by("customer", "item_id").aggregate(
        window=lines.window.min(), orders=lines.order_position.nunique()
    )


def list_sessions(scene: Scene) -> ibis.Table:
    """Sessions, with the shortest window that holds one of their events."""
    rows = scene.rows.filter(scene.rows.session_id.notnull(), scene.rows.line == 0)
    sessions = rows.group_by("customer", "session_id").aggregate(age_us=rows.age_us.min())
    return _put_window(sessions)


def _count_categories(rows: ibis.Table, scene: Scene) -> ibis.Table:
    """Rows by customer and category, with their share and their rank (0 is the top one)."""
    joined = rows.left_join(scene.categories, "item_id")
    placed = joined.select(
        joined.customer, category=ibis.coalesce(joined.item_category, joined.category)
    ).filter(lambda t: t.category.notnull())
    return _rank(placed, "category")


def _rank(rows: ibis.Table, column: str) -> ibis.Table:
    """Rows by customer and ``column`` (``n``), their ``share``, and the ``rank`` by ``n``."""
    counts = rows.group_by("customer", column).aggregate(n=rows.count())
    by_count = [counts.n.desc(), counts[column]]
    return counts.mutate(
        share=counts.n / counts.n.sum().over(group_by="customer"),
        rank=ibis.row_number().over(group_by="customer", order_by=by_count),
    )


def list_bought_categories(scene: Scene) -> ibis.Table:
    """Categories of bought lines."""
    return _count_categories(list_lines(scene).select("customer", "item_id", "category"), scene)


def list_viewed_categories(scene: Scene) -> ibis.Table:
    """Categories of product views."""
    views = scene.rows.filter(scene.rows.name == Name.PRODUCT_VIEWED.value)
    return _count_categories(views.select("customer", "item_id", "category"), scene)


def list_countries(scene: Scene) -> ibis.Table:
    """Each customer's last known country; of two at the same moment the alphabetically first."""
    rows = scene.rows.filter(scene.rows.country.notnull(), scene.rows.line == 0)
    seen = rows.group_by("customer", "country").aggregate(at_us=rows.at_us.max())
    newest = ibis.row_number().over(group_by="customer", order_by=[seen.at_us.desc(), seen.country])
    return seen.mutate(rank=newest).filter(lambda t: t["rank"] == 0)


def list_weekdays(scene: Scene) -> ibis.Table:
    """Weekdays of kept orders in UTC, 0 for Monday (1 January 1970 was a Thursday)."""
    orders = list_orders(scene)
    weekday = (orders.at_s // DAY_SECONDS + 3) % 7
    return _rank(orders.select("customer", weekday=weekday), "weekday")


def list_hours(scene: Scene) -> ibis.Table:
    """Hours of the day of kept orders in UTC."""
    orders = list_orders(scene)
    hour = (orders.at_s // 3600) % 24
    return _rank(orders.select("customer", hour=hour), "hour")


def list_prices(scene: Scene) -> ibis.Table:
    """Where each customer's median price lies among the prices of all sold lines, in [0, 1].

    The share of sold lines below it, plus half of those at it. Prices and customers stand in one
    column, so that one running sum over it answers for all customers.
    """
    lines = list_lines(scene)
    own = lines.group_by("customer").aggregate(price=lines.price_cents.median().cast("float64"))
    ladder = scene.prices.select(
        customer=ibis.null("int64"),
        price=scene.prices.price_cents.cast("float64"),
        weight=scene.prices.lines,
    )
    priced = own.filter(own.price.notnull())
    both = priced.mutate(weight=ibis.literal(0, "int64")).union(ladder)
    placed = both.mutate(
        upto=both.weight.sum().over(range=(None, 0), order_by="price"),
        here=both.weight.sum().over(group_by="price"),
        total=both.weight.sum().over(rows=(None, None)),
    )
    placed = placed.filter(placed.customer.notnull())
    below = placed.upto.cast("float64") - placed.here.cast("float64") / 2
    total = placed.total.cast("float64").nullif(0)
    return placed.select("customer", percentile=below / total)


GRAINS: Mapping[Grain, Callable[[Scene], ibis.Table]] = {
    Grain.ACTIVITY: list_activity,
    Grain.ORDERS: list_orders,
    Grain.LINES: list_lines,
    Grain.ITEMS: list_items,
    Grain.SESSIONS: list_sessions,
    Grain.BOUGHT_CATEGORIES: list_bought_categories,
    Grain.VIEWED_CATEGORIES: list_viewed_categories,
    Grain.COUNTRIES: list_countries,
    Grain.WEEKDAYS: list_weekdays,
    Grain.HOURS: list_hours,
    Grain.PRICES: list_prices,
}
