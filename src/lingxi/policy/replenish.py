"""Items that a customer buys again and again, and whose turn has come."""

from datetime import datetime

import ibis
import pyarrow as pa

from lingxi.policy.candidate import Due
from lingxi.schema import Name
from lingxi.store import Analytics

PURCHASES = 3
"""Days with a purchase of an item before its gap is believed."""

EARLY, LATE = 0.8, 1.5
"""An item is due from this share of its own gap after the last purchase to that one."""


def find_due(analytics: Analytics, as_of: datetime) -> pa.Table:
    """Each known customer's most regular item that is due at ``as_of``.

    Returns
    -------
    Columns ``customer``, ``item_id``, ``purchases`` (days with a purchase), ``gap_days`` (mean gap
    between them), ``since_days`` (since the last); at most one row per customer: the item bought
    most often, ties by ``item_id``.
    """
    events = analytics.events
    bought = events.filter(
        events.known,
        events.name == Name.ORDER_COMPLETED.value,
        events.item_id.notnull(),
        events.occurred_at <= ibis.literal(as_of),
    )
    bought = bought.mutate(day=bought.occurred_at.epoch_seconds() // 86_400)
    days = bought.group_by("customer", "item_id").aggregate(
        purchases=bought.day.nunique(), first=bought.day.min(), last=bought.day.max()
    )
    today = int(as_of.timestamp()) // 86_400
    gaps = days.filter(days.purchases >= PURCHASES).mutate(
        gap_days=(days["last"] - days["first"]).cast("float64") / (days.purchases - 1),
        since_days=(ibis.literal(today) - days["last"]).cast("float64"),
    )
    due = gaps.filter(
        gaps.since_days >= EARLY * gaps.gap_days, gaps.since_days <= LATE * gaps.gap_days
    )
    order = [due.purchases.desc(), due.item_id]
    ranked = due.mutate(rank=ibis.row_number().over(group_by="customer", order_by=order))
    first = ranked.filter(ranked["rank"] == 0)
    return analytics.to_arrow(
        first.select("customer", "item_id", "purchases", "gap_days", "since_days")
    )


def read_due(table: pa.Table, names: dict[str, str]) -> dict[int, Due]:
    """The table of ``find_due`` by customer; ``names`` are the items' names."""
    return {
        row["customer"]: Due(
            item_id=row["item_id"],
            name=names.get(row["item_id"], ""),
            purchases=row["purchases"],
            gap_days=row["gap_days"],
            since_days=row["since_days"],
        )
        for row in table.to_pylist()
    }
