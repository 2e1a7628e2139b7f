"""Every kind of standing work of a shop, gathered; a room's task is imported when it first runs."""

from collections.abc import Sequence
from datetime import datetime

from lingxi.app.shop import Shop
from lingxi.app.work import Task


def tend_coupons(shop: Shop, now: datetime) -> int:
    """Coupons whose time is over expire; cancelled orders give theirs back."""
    from lingxi.coupons.jobs import run_once

    return run_once(shop.store, shop.coupons, now)


TASKS: Sequence[Task] = (Task("coupons", tend_coupons),)
"""In the order of the road: what changes whom comes before what sends."""
