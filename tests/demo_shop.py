"""The small shop of the tests: from the tiny simulation's files to the plan."""

from datetime import UTC, datetime
from pathlib import Path

from lingxi.clock import FixedClock

DEMO_END = datetime(2026, 6, 30, tzinfo=UTC)


def make_shop(folder: Path, raw: Path, database: str = "") -> None:
    """The whole road, from the raw files to the plan."""
    from lingxi.app import jobs
    from lingxi.app.shop import init_shop

    clock = FixedClock(DEMO_END)
    shop = init_shop(
        folder,
        name="Willow & Finch",
        currency="GBP",
        timezone="Europe/London",
        language="en",
        database=database,
        clock=clock,
    )
    jobs.import_items(shop, raw / "items.csv")
    jobs.import_orders(shop, raw / "orders.csv")
    jobs.import_events(shop, raw / "events.parquet")
    for job in jobs.TRAINING:
        job.run(shop, lambda *_: None)
    jobs.make_plan(shop)
    shop.close()
