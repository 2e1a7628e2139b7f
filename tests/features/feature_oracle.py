"""The features once more, in plain Python, straight from their sentences in the documentation."""

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import mean, median, stdev

from msgspec.structs import replace

from lingxi.schema import SYSTEM_EVENTS, Event, Name

WINDOWS = (7, 30, 90, 365)


def describe(
    events: Sequence[Event], everyone: Sequence[Event], as_of: datetime
) -> dict[str, float | str | None]:
    """Features of one customer's ``events``; ``everyone`` is all events of the shop."""
    mine = sorted(
        (e for e in events if e.occurred_at <= as_of and e.name not in SYSTEM_EVENTS),
        key=lambda e: (e.occurred_at, e.position),
    )
    midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    past = [e for e in everyone if e.occurred_at < midnight]
    parts = [e for e in mine if e.name == Name.ORDER_COMPLETED and not _is_cancelled(e, mine)]
    orders = _put_together(parts)
    lines = [(e, x) for e in orders for x in e.lines]
    return {
        **_count(mine, past, orders, as_of),
        **_sum_money(mine, past, orders, as_of),
        **_time(orders, as_of),
        **_taste(lines, orders, past),
        **_habits(orders),
        "tenure_days": _days(as_of - mine[0].occurred_at),
        "last_seen_days": _days(as_of - mine[-1].occurred_at),
        "country": _country(mine),
    }


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)


def _is_cancelled(order: Event, mine: Sequence[Event]) -> bool:
    if order.order_id is None:
        return False
    same = [e for e in mine if e.order_id == order.order_id and e.amount_cents is not None]
    ordered = [e.amount_cents for e in same if e.name == Name.ORDER_COMPLETED]
    refunded = sum(e.amount_cents for e in same if e.name == Name.ORDER_REFUNDED)
    return bool(ordered) and refunded > 0 and refunded >= sum(ordered)


def _put_together(parts: Sequence[Event]) -> list[Event]:
    """Orders in the order of time: the parts with one number are one order, at its first part."""
    orders: dict[str, Event] = {}
    for part in parts:
        key = part.order_id or f"#{part.position}"
        if key not in orders:
            orders[key] = part
            continue
        first = orders[key]
        amounts = [x for x in (first.amount_cents, part.amount_cents) if x is not None]
        orders[key] = replace(
            first, lines=first.lines + part.lines, amount_cents=sum(amounts) if amounts else None
        )
    return list(orders.values())


def _count(
    mine: Sequence[Event], past: Sequence[Event], orders: Sequence[Event], as_of: datetime
) -> dict[str, float | str | None]:
    found: dict[str, float | str | None] = {"frequency": len(orders)}
    for days in WINDOWS:
        inside = [e for e in mine if as_of - e.occurred_at < timedelta(days=days)]
        recent = [e for e in inside if e in orders]
        found[f"orders_{days}d"] = len(recent)
        found[f"items_{days}d"] = len({x.item_id for e in recent for x in e.lines})
        for key, name in (
            ("views", Name.PRODUCT_VIEWED),
            ("carts", Name.PRODUCT_ADDED),
            ("searches", Name.PRODUCTS_SEARCHED),
            ("refunds", Name.ORDER_REFUNDED),
        ):
            n = sum(e.name == name for e in inside)
            tracked = any(e.name == name for e in past)
            found[f"{key}_{days}d"] = n if n or tracked else None
        sessions = len({e.session_id for e in inside} - {None})
        tracked = any(e.session_id for e in past)
        found[f"sessions_{days}d"] = sessions if sessions or tracked else None
    return found


def _add(amounts: Sequence[int | None]) -> int | None:
    known = [x for x in amounts if x is not None]
    return sum(known) if known or not amounts else None


def _sum_money(
    mine: Sequence[Event], past: Sequence[Event], orders: Sequence[Event], as_of: datetime
) -> dict[str, float | str | None]:
    def net(events: Sequence[Event]) -> int | None:
        signs = {Name.ORDER_COMPLETED: 1, Name.ORDER_REFUNDED: -1}
        picked = [e for e in events if e.name in signs]
        return _add(
            [None if e.amount_cents is None else signs[e.name] * e.amount_cents for e in picked]
        )

    gross = _add([e.amount_cents for e in mine if e.name == Name.ORDER_COMPLETED])
    refunds = [e.amount_cents for e in mine if e.name == Name.ORDER_REFUNDED]
    refund = _add(refunds)
    if not refund and not any(e.name == Name.ORDER_REFUNDED for e in past):
        refund = None
    amounts = [e.amount_cents for e in orders if e.amount_cents is not None]
    recent = {
        f"revenue_{d}d_cents": net([e for e in mine if as_of - e.occurred_at < timedelta(days=d)])
        for d in WINDOWS
    }
    return {
        **recent,
        "money_cents": net(mine),
        "gross_cents": gross,
        "refund_cents": refund,
        "return_rate": refund / gross if gross and refund is not None else None,
        "average_order_cents": mean(amounts) if amounts else None,
    }


def _time(orders: Sequence[Event], as_of: datetime) -> dict[str, float | str | None]:
    moments = [e.occurred_at for e in orders]
    gaps = [_days(b - a) for a, b in pairwise(moments)]
    average = mean(gaps) if gaps else None
    spread = stdev(gaps) if len(gaps) > 1 else None
    recency = _days(as_of - moments[-1]) if moments else None
    return {
        "recency_days": recency,
        "first_order_days": _days(as_of - moments[0]) if moments else None,
        "gap_mean_days": average,
        "gap_median_days": median(gaps) if gaps else None,
        "gap_std_days": spread,
        "gap_last_days": gaps[-1] if gaps else None,
        "gap_cv": spread / average if spread is not None and average else None,
        "recency_over_gap": recency / average if average else None,
    }


def _taste(lines, orders, past) -> dict[str, float | str | None]:
    prices = [x.price_cents for _, x in lines if x.price_cents is not None]
    shop = [
        x.price_cents
        for e in past
        if e.name == Name.ORDER_COMPLETED
        for x in e.lines
        if x.price_cents
    ]
    middle = median(prices) if prices else None
    level = None
    if middle is not None and shop:
        level = (sum(p < middle for p in shop) + sum(p == middle for p in shop) / 2) / len(shop)
    known: dict[str, str] = {}
    for e in past:
        if e.category and e.name in (Name.PRODUCT_VIEWED, Name.PRODUCT_ADDED):
            for x in e.lines:
                known[x.item_id] = max(known.get(x.item_id, ""), e.category)
    categories = Counter(known[x.item_id] for _, x in lines if x.item_id in known)
    total = sum(categories.values())
    top = min(categories, key=lambda c: (-categories[c], c)) if categories else None
    items = {x.item_id for _, x in lines}
    baskets = Counter(i for e in orders for i in {x.item_id for x in e.lines})
    units = sum(x.quantity for _, x in lines)
    return {
        "price_mean_cents": mean(prices) if prices else None,
        "price_median_cents": middle,
        "price_percentile": level,
        "category_top": top,
        "category_top_share": categories[top] / total if top else None,
        "category_entropy": -sum(n / total * math.log(n / total) for n in categories.values())
        if total
        else None,
        "category_count": len(categories) or None,
        "first_item": orders[0].lines[0].item_id if orders and orders[0].lines else None,
        "last_item": orders[-1].lines[0].item_id if orders and orders[-1].lines else None,
        "items": len(items),
        "units": units,
        "order_lines": len(lines),
        "basket_units": units / len(orders) if orders else None,
        "basket_lines": len(lines) / len(orders) if orders else None,
        "repeat_item_share": sum(n > 1 for n in baskets.values()) / len(items) if items else None,
        "discount_share": sum(
            bool(e.properties.get("discount") or e.properties.get("coupon")) for e in orders
        )
        / len(orders)
        if orders
        else None,
    }


def _habits(orders: Sequence[Event]) -> dict[str, float | str | None]:
    found: dict[str, float | str | None] = {}
    for name, read in (("weekday", datetime.weekday), ("hour", lambda d: d.hour)):
        counts = Counter(read(e.occurred_at) for e in orders)
        top = min(counts, key=lambda k: (-counts[k], k)) if counts else None
        found[f"{name}_top"] = top
        found[f"{name}_top_share"] = counts[top] / len(orders) if counts else None
    return found


def _country(mine: Sequence[Event]) -> str | None:
    named = [e for e in mine if e.country]
    if not named:
        return None
    newest = max(e.occurred_at for e in named)
    return min(e.country for e in named if e.occurred_at == newest)
