"""Every kind of standing work of a shop, gathered; a room's task is imported when it first runs."""

from collections.abc import Sequence
from datetime import datetime

from lingxi.app.shop import Shop
from lingxi.app.work import Task


def tend_coupons(shop: Shop, now: datetime) -> int:
    """Coupons whose time is over expire; cancelled orders give theirs back."""
    from lingxi.coupons.jobs import run_once

    return run_once(shop.store, shop.coupons, now)


def read_log(shop: Shop, now: datetime) -> int:
    """What happens begins, wakes and ends runs of journeys."""
    from lingxi.app.runs.jobs import read_log

    return read_log(shop, now)


def hold_occasions(shop: Shop, now: datetime) -> int:
    """Schedules, dates and scores begin runs of journeys."""
    from lingxi.app.runs.jobs import hold_occasions

    return hold_occasions(shop, now)


def read_goods(shop: Shop, now: datetime) -> int:
    """Prices that fell and items that are back begin runs of journeys."""
    from lingxi.app.runs.jobs import read_goods

    return read_goods(shop, now)


def move_runs(shop: Shop, now: datetime) -> int:
    """Runs of journeys that are due go on."""
    from lingxi.app.runs.jobs import move_runs

    return move_runs(shop, now)


def send(shop: Shop, now: datetime) -> int:
    """Messages that are due are sent."""
    from lingxi.app.messages.sender import send_due

    return send_due(shop, now)


def start_refit(shop: Shop, now: datetime) -> int:
    """Models that are due are learnt anew, by a process of its own."""
    from lingxi.app.refit import start_refit

    return start_refit(shop, now)


def keep_segments(shop: Shop, now: datetime) -> int:
    """Memberships of segments follow what happens, and the clock."""
    return shop.segments.keeper.run_once(now)


TASKS: Sequence[Task] = (
    Task("segments", keep_segments, every_seconds=0.5),
    Task("coupons", tend_coupons),
    Task("journey-events", read_log, every_seconds=0.5),
    Task("journey-occasions", hold_occasions, every_seconds=5.0, slow=True),
    Task("journey-items", read_goods, every_seconds=2.0, slow=True),
    Task("journey-runs", move_runs, every_seconds=0.5),
    Task("sender", send, every_seconds=0.5, remote=True),
    Task("refit", start_refit, every_seconds=60.0, slow=True),
)
"""In the order of the road: what changes whom comes before what sends."""
