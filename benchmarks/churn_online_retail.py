"""Churn, stages and value on real shops: quality beside the simple rules, seconds and memory.

    python benchmarks/churn_online_retail.py [online_retail|cdnow ...] [--horizon-days N]

Each file goes the whole road: imported through the public importer into a fresh shop, then stages,
churn and value are trained and every customer is scored. With ``--horizon-days 90`` on Online
Retail the test moment is 2011-09-10, that of the published baselines. CDNOW (dates and amounts
only) shows whether the same settings carry over to another shop. Bounds on Online Retail: training
12 s and scoring 3 s of processor time, 1 GB.
"""

import argparse
import csv
import os
import platform
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lingxi import lifecycle
from lingxi.app import jobs
from lingxi.app.shop import Shop, init_shop
from lingxi.store import Manifest, silent

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def find_online_retail(_folder: Path) -> Path:
    """The file as it is."""
    return DATA / "online_retail" / "online_retail.parquet"


def write_cdnow(folder: Path) -> Path:
    """CDNOW's purchases as order lines of one product."""
    path = folder / "cdnow.csv"
    rows = (DATA / "cdnow" / "CDNOW_master.txt").read_text().split("\n")[1:]
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            [
                "invoice",
                "stock_code",
                "description",
                "quantity",
                "invoice_date",
                "unit_price",
                "customer_id",
                "country",
            ]
        )
        for number, row in enumerate(filter(None, (r.split() for r in rows)), 100_000):
            customer, day, _, dollars = row
            moment = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
            out.writerow(
                [number, "20001", "CDs", 1, f"{moment:%Y-%m-%d} 12:00:00", dollars, customer, "US"]
            )
    return path


SHOPS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "online_retail": ("GBP", find_online_retail),
    "cdnow": ("USD", write_cdnow),
}


def open_shop(name: str, folder: Path, horizon_days: int) -> Shop:
    """A fresh shop with the file imported and written to the lake."""
    currency, find = SHOPS[name]
    shop = init_shop(folder / name, name=name, currency=currency, timezone="UTC", language="en")
    shop.close()
    shop = Shop.open(folder / name, environ={"LINGXI_LEARNING_HORIZON_DAYS": str(horizon_days)})
    jobs.import_orders(shop, find(folder))
    shop.store.lake.roll()
    return shop


def measure(title: str, run: Callable[[], object]) -> None:
    """Print wall and processor seconds of a step."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"  {title:<28}{wall:7.2f} s wall {cpu:7.2f} s processor")


def show(manifest: Manifest) -> None:
    """Print the candidates of a manifest, with the interval where there is one."""
    extra = msgspec.json.encode(manifest.extra).decode()
    print(f"  {manifest.kind}: chose {manifest.chosen}; {extra}")
    for candidate in manifest.candidates:
        mark = "*" if candidate.chosen else "-" if candidate.baseline else " "
        print(f"  {mark} {candidate.name}")
        for m in candidate.measures:
            reach = "" if m.low is None else f"  [{m.low:.4f}, {m.high:.4f}]"
            print(f"      {m.metric:<22}{m.value:12.4f}{reach}")


def main() -> None:
    """Run the shops named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shops", nargs="*", help=f"of {', '.join(SHOPS)}; all without it")
    parser.add_argument("--horizon-days", type=int, default=0, help="0 learns it")
    given = parser.parse_args()
    if strange := sorted(set(given.shops) - set(SHOPS)):
        parser.error(f"no shop {', '.join(strange)}; there are {', '.join(SHOPS)}")
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"commit {commit}, Python {platform.python_version()}, {os.cpu_count()} cores")
    for name in given.shops or SHOPS:
        with tempfile.TemporaryDirectory() as folder:
            shop = open_shop(name, Path(folder), given.horizon_days)
            common = (shop.store, shop.settings, shop.clock)
            print(name)
            measure("stages and thresholds", lambda c=common: lifecycle.train_lifecycle(*c))
            measure("churn and value", lambda c=common: lifecycle.train_churn(*c))
            measure("score every customer", lambda c=common: lifecycle.score_customers(*c))
            measure("score again", lambda c=common: lifecycle.score_customers(*c, progress=silent))
            for kind in ("lifecycle", "churn", "value"):
                show(shop.store.artefacts.list(kind)[0])
            shop.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB, the import included")


if __name__ == "__main__":
    main()
