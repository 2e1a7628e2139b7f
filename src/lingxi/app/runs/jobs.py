"""The standing work of journeys."""

import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4
from weakref import WeakKeyDictionary

from lingxi.app.runs.hands import make_hands
from lingxi.app.shop import Shop
from lingxi.journeys import Runner, consume_log, goods
from lingxi.journeys.hands import Hands
from lingxi.journeys.timetable import Timetable
from lingxi.store import Store

_TURN_SECONDS = 0.5


@dataclass(frozen=True)
class _Held:
    hands: Hands
    runner: Runner
    timetable: Timetable


_held: "WeakKeyDictionary[Store, _Held]" = WeakKeyDictionary()


def _hold(shop: Shop) -> _Held:
    """One runner a process and shop: it keeps its lanes."""
    if shop.store not in _held:
        hands = make_hands(shop)
        _held[shop.store] = _Held(
            hands,
            Runner(shop.store, hands, _name_worker()),
            Timetable(shop.store, hands),
        )
    return _held[shop.store]


def _name_worker() -> str:
    return f"{socket.gethostname()[:30]}-{os.getpid()}-{uuid4().hex[:8]}"


def read_log(shop: Shop, now: datetime) -> int:
    """Begin, wake and end runs by what has happened."""
    return consume_log(shop.store, _hold(shop).hands, now)


def move_runs(shop: Shop, now: datetime) -> int:
    """Move runs that are due, for about half a second."""
    runner = _hold(shop).runner
    end = time.monotonic() + _TURN_SECONDS
    moved = 0
    while time.monotonic() < end:
        step = runner.run_once(now)
        if not step:
            break
        moved += step
    return moved


def hold_occasions(shop: Shop, now: datetime) -> int:
    """Schedules, dates and scores begin runs, some customers at a time."""
    return _hold(shop).timetable.run_once(now)


def read_goods(shop: Shop, now: datetime) -> int:
    """Prices that fell and items that are back begin runs."""
    return goods.read_goods(shop.store, _hold(shop).hands, now)


def let_go(shop: Shop) -> None:
    """Give the lanes to others at once, before the shop is closed."""
    held = _held.pop(shop.store, None)
    if held is not None:
        held.runner.lanes.release()
