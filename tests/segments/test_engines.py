"""Memberships follow the log on PostgreSQL as on SQLite."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from lingxi.app.shop import Shop, init_shop
from lingxi.catalogue import put_items
from lingxi.clock import FixedClock
from lingxi.schema import Event, Item, Line
from lingxi.segments.lists import put_list
from segments.happenings import NOW
from segments.random_rules import SUBJECTS
from segments.test_live_property import Run

pytestmark = [pytest.mark.engine, pytest.mark.slow]
ORDERS: dict[str, object] = {"event": "Order Completed", "of": "amount_cents"}
FORMS: list[dict[str, object]] = [
    {"did": "Product Viewed", "at_least": 2, "within_days": 3},
    {"did_not": "Order Completed", "within_days": 7},
    {"did": "Product Viewed", "which": "last", "where": [{"property": "p", "equals": "a"}]},
    {"bought": {"items": ["x"]}, "within_days": 7},
    {"viewed": {"categories": ["Home"]}},
    {"aggregate": "sum", **ORDERS, "at_least": 300, "within_days": 7},
    {"aggregate": "average", **ORDERS, "less_than": 300},
    {"aggregate": "distinct", "event": "Product Viewed", "of": "item_id", "at_least": 2},
    {"any": [{"list": "hand"}, {"score": "orders", "at_least": 2}]},
    {"not": {"random": "s", "to": 0.5}},
]


def make_history() -> list[Event]:
    """Every customer does a little of everything, at the edges of windows and between them."""
    names = ("Product Viewed", "Order Completed", "Quiz")
    return [
        Event(
            event_id=f"e{n}",
            name=names[n * 7 % 5 % 3],
            occurred_at=NOW - timedelta(days=n * 5 % 9, microseconds=n % 3 - 1),
            received_at=NOW,
            subject=SUBJECTS[n * 3 % 5],
            amount_cents=n * 37 % 400,
            lines=(Line("xyz"[n % 3], 1, 100),),
            properties={"p": "ab"[n % 2]},
        )
        for n in range(60)
    ]


def make(folder: Path, database: str = "") -> None:
    shop = init_shop(
        folder, name="S", currency="GBP", timezone="UTC", language="en", database=database
    )
    items = [Item(item_id="x", category="Lamps"), Item(item_id="y", category_path=("Home", "Rugs"))]
    with shop.store.write() as tx:
        put_items(shop.store, tx, items, now=NOW)
        put_list(tx, "hand", "By hand", NOW)
    shop.close()


def test_memberships_follow_on_postgres(tmp_path: Path, new_database: Callable[[], str]) -> None:
    make(tmp_path / "shop", new_database())
    history = make_history()
    shop = Shop.open(tmp_path / "shop", clock=FixedClock(NOW))
    assert shop.store.engine.dialect.name == "postgresql"
    run = Run(shop, FORMS)
    steps: list[tuple[str, object]] = [("events", history[:20]), ("wait", 1.0), ("list", 3)]
    steps += [("events", history[20:40]), ("merge", 0), ("keeper", 0), ("wait", 6.0)]
    steps += [("events", history[40:]), ("undo", 0), ("wait", 2.0)]
    for verb, what in steps:
        run.take(verb, what)
        run.check()
    shop.close()
