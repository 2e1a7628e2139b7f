"""Every kind of standing work of a shop, gathered; a room's task is imported when it first runs."""

from collections.abc import Sequence
from datetime import datetime

from lingxi.app.shop import Shop
from lingxi.app.work import Done, Task


def tend_coupons(shop: Shop, now: datetime) -> int:
    """Coupons expire; orders of shop platforms redeem them, and give them back when cancelled."""
    from lingxi.access.sources import list_signed
    from lingxi.coupons.jobs import run_once

    with shop.store.read() as tx:
        checkouts = list_signed(tx)
    return run_once(shop.store, shop.coupons, now, checkouts=checkouts)


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


def send(shop: Shop, now: datetime) -> Done:
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


def settle_hits(shop: Shop, now: datetime) -> int:
    """Openings and clicks reach the log once it is clear whether a person made them."""
    from lingxi.app.mail.work import settle

    return settle(shop, now)


def ask_opt_ins(shop: Shop, now: datetime) -> int:
    """Who signed up is asked to confirm their address."""
    from lingxi.app.mail.opt_ins import send_opt_ins

    return send_opt_ins(shop, now)


def take_bounces(shop: Shop, now: datetime) -> int:
    """Bounces and complaints that wait in the folder of the settings are taken in."""
    from lingxi.app.mail.work import look_for_bounces

    return look_for_bounces(shop, now)


def fetch_bounces(shop: Shop, now: datetime) -> int:
    """Bounces and complaints that wait in the mailbox over IMAP are taken in."""
    from lingxi.app.mail.work import look_at_imap

    return look_at_imap(shop, now)


def roll_lake(shop: Shop, _now: datetime) -> int:
    """What the log has gained goes into the lake, so that questions need not read it event by
    event."""
    return shop.store.lake.roll_chunks().events


TASKS: Sequence[Task] = (
    Task("segments", keep_segments, every_seconds=0.5),
    Task("coupons", tend_coupons),
    Task("mail-hits", settle_hits),
    Task("mail-bounces", take_bounces, every_seconds=10.0),
    Task("journey-events", read_log, every_seconds=0.5),
    Task("journey-occasions", hold_occasions, every_seconds=5.0, slow=True),
    Task("journey-items", read_goods, every_seconds=2.0, slow=True),
    Task("journey-runs", move_runs, every_seconds=0.5),
    Task("sender", send, every_seconds=0.5, remote=True),
    Task("lake", roll_lake, every_seconds=30.0, slow=True),
    Task("refit", start_refit, every_seconds=60.0, slow=True),
    Task("mail-opt-ins", ask_opt_ins, remote=True),
    Task("mail-imap", fetch_bounces, every_seconds=60.0, remote=True),
)
"""In the order of the road: what changes whom comes before what sends."""
