"""The small shop of the tests: from the tiny simulation's files to the plan."""

from datetime import UTC, datetime
from pathlib import Path

from lingxi.clock import FixedClock

DEMO_END = datetime(2026, 6, 30, tzinfo=UTC)
NO_LIMITS = "\n[learning]\nrecommender_seconds = 3000.0\n\n[recommend]\nmemory_gb = 64.0\n"
"""So that every machine, and every engine, tries the same models."""


def make_shop(folder: Path, raw: Path, database: str = "") -> None:
    """The whole road, from the raw files to the plan."""
    from lingxi.app import jobs
    from lingxi.app.shop import Shop, init_shop

    clock = FixedClock(DEMO_END)
    init_shop(
        folder,
        name="Willow & Finch",
        currency="GBP",
        timezone="Europe/London",
        language="en",
        database=database,
        clock=clock,
    ).close()
    with (folder / "lingxi.toml").open("a") as settings:
        settings.write(NO_LIMITS)
    shop = Shop.open(folder, clock=clock, environ={})
    jobs.import_items(shop, raw / "items.csv")
    jobs.import_orders(shop, raw / "orders.csv")
    jobs.import_events(shop, raw / "events.parquet")
    for job in jobs.TRAINING:
        job.run(shop, lambda *_: None)
    jobs.make_plan(shop)
    shop.close()
