"""A part of the road in a process of its own, for others to kill.

``python road_step.py FOLDER RAW STEP...`` prints ``ready`` once the shop is open, then a line for
each report of progress.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from demo_shop import DEMO_END
from lingxi.app import jobs
from lingxi.app.shop import Shop
from lingxi.clock import FixedClock


def say(step: str, done: int, total: int | None) -> None:
    """Progress as a line."""
    print(f"{step} {done}/{total}", flush=True)


def train(shop: Shop, *, churn: bool = True) -> None:
    """All of training, or without its longest part."""
    for job in jobs.TRAINING:
        if churn or job.title != "Churn":
            say(job.title, 0, None)
            job.run(shop, say)


STEPS: Mapping[str, Callable[[Shop, Path], object]] = {
    "items": lambda shop, raw: jobs.import_items(shop, raw / "items.csv", progress=say),
    "orders": lambda shop, raw: jobs.import_orders(shop, raw / "orders.csv", progress=say),
    "events": lambda shop, raw: jobs.import_events(shop, raw / "events.parquet", progress=say),
    "customers": lambda shop, raw: jobs.import_customers(shop, raw / "customers.csv", progress=say),
    "train": lambda shop, _: train(shop),
    "train-without-churn": lambda shop, _: train(shop, churn=False),
    "plan": lambda shop, _: jobs.make_plan(shop, say),
}


def main(folder: Path, raw: Path, steps: list[str]) -> None:
    """Go the steps."""
    shop = Shop.open(folder, clock=FixedClock(DEMO_END), environ={})
    print("ready", flush=True)
    for step in steps:
        STEPS[step](shop, raw)
    shop.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
