"""What messages came to: how many went where, and what customers did against those held out."""

from typing import TYPE_CHECKING

import ibis
from ibis import _

from lingxi.app.messages.views import ArmView, DifferenceView, OutcomeView
from lingxi.errors import NotEnoughData
from lingxi.experiments import HOLDOUT, TREATED
from lingxi.schema import Name
from lingxi.stats.bootstrap import Interval
from lingxi.stats.difference import Moments, difference_of_means, difference_of_shares
from lingxi.store import Analytics

if TYPE_CHECKING:
    from lingxi.app.shop import Shop

_ARMS = (TREATED, HOLDOUT)


def compare_with_holdout(shop: "Shop", journey: str, days: int) -> OutcomeView | None:
    """Orders within ``days`` of coming into a journey, of who got messages and who was held out.

    Nothing where nobody has come into the journey. Everyone counts who qualified, whether a
    message reached them or not: so the two groups differ by chance alone but for the journey.
    """
    with shop.store.analytics() as analytics:
        groups = _read_groups(analytics, f"journey:{journey}", days)
    if not groups:
        return None
    arms = {arm: groups.get(arm, (0, 0, 0.0, 0.0)) for arm in _ARMS}
    views = tuple(
        ArmView(arm, n, buyers, buyers / n if n else None, round(total / n) if n else None)
        for arm, (n, buyers, total, __) in arms.items()
    )
    treated, held = (arms[arm] for arm in _ARMS)
    try:
        share = _show(difference_of_shares(treated[1], treated[0], held[1], held[0]))
    except NotEnoughData:
        share = None
    try:
        first, second = (Moments(n, total, squares) for n, __, total, squares in (treated, held))
        revenue = _show(difference_of_means(first, second))
    except NotEnoughData:
        revenue = None
    return OutcomeView(journey, days, views, share, revenue)


def _show(found: Interval) -> DifferenceView:
    return DifferenceView(found.value, found.low, found.high)


def _read_groups(
    analytics: Analytics, experiment: str, days: int
) -> dict[str, tuple[int, int, float, float]]:
    """Customers, buyers, revenue and its squares, in minor units, by arm."""
    events = analytics.events.filter(_.line == 0, _.customer.notnull())
    arms = events.filter(
        events.name == Name.ARM_ASSIGNED.value,
        events.properties.contains(f'"experiment":"{experiment}"'),
    )
    entered = (
        arms.mutate(held=arms.properties.contains(f'"arm":"{HOLDOUT}"'))
        .group_by("customer")
        .aggregate(held=_.held.max(), entered_at=_.occurred_at.min())
    )
    orders = events.filter(events.name == Name.ORDER_COMPLETED.value).select(
        "customer", "occurred_at", "event_amount_cents"
    )
    joined = entered.inner_join(orders, "customer")
    within = joined.filter(
        _.occurred_at >= _.entered_at,
        _.occurred_at < _.entered_at + ibis.interval(days=days),
    )
    sums = within.group_by("customer").aggregate(
        orders=_.count(), cents=_.event_amount_cents.sum().cast("float64")
    )
    everyone = entered.left_join(sums, "customer").mutate(
        orders=_.orders.fill_null(0), cents=_.cents.fill_null(0.0)
    )
    groups = everyone.group_by("held").aggregate(
        n=_.count(),
        buyers=(_.orders > 0).cast("int64").sum(),
        total=_.cents.sum(),
        squares=(_.cents * _.cents).sum(),
    )
    found = {}
    for row in analytics.to_arrow(groups).to_pylist():
        arm = HOLDOUT if row["held"] else TREATED
        total, squares = float(row["total"]), float(row["squares"])
        found[arm] = (int(row["n"]), int(row["buyers"]), total, squares)
    return found
