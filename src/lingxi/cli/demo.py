"""``lingxi demo``: a simulated shop, from raw events to the dashboard."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from lingxi.cli.frame import guarded, open_shop
from lingxi.cli.import_files import summarise_import
from lingxi.cli.serve import run_server
from lingxi.cli.simulate import write_simulated_shop
from lingxi.cli.steps import long_step
from lingxi.config import CONFIG_FILE

_DONE = "demo-complete"
_HURRY = "\n[learning]\nrecommender_seconds = 15.0\n"
"""A shop takes five minutes to look for its best recommender; who tries a demo is waiting."""


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default="demo-shop")
@click.option("--size", default="demo", show_default=True, help="demo or tiny.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same shop.")
@click.option("--host", default=None, help="Address to listen on.")
@click.option("--port", type=int, default=None, help="Port to listen on.")
@click.option("--no-serve", is_flag=True, help="Stop when the plan is written.")
@guarded
def command(
    folder: Path, size: str, seed: int, host: str | None, port: int | None, no_serve: bool
) -> None:
    """Simulate a shop in FOLDER, bring it in, clean it, train, plan, and serve the dashboard.

    A demo that was finished before is served again as it is; one that was cut short starts anew.
    """
    from lingxi.config import CONFIG_FILE
    from lingxi.errors import ShopExists

    if (folder / CONFIG_FILE).exists() and not (folder / "raw").exists():
        raise ShopExists(f"{folder} holds a shop of your own. Name another folder.")
    if not (folder / _DONE).exists():
        started = time.perf_counter()
        if folder.exists() and (folder / "raw").exists():
            (folder / CONFIG_FILE).unlink(
                missing_ok=True
            )  # half removed it is no shop of anybody's
            shutil.rmtree(folder)
        make_demo(folder, size=size, seed=seed)
        (folder / _DONE).touch()
        click.echo(f"From nothing to plan in {time.perf_counter() - started:.0f} s.", err=True)
    if not no_serve:
        run_server(folder, host, port)


def make_demo(folder: Path, *, size: str, seed: int) -> None:
    """The whole road: simulate, import, train, plan."""
    from lingxi.app import jobs
    from lingxi.app.shop import init_shop

    raw = folder / "raw"
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with long_step("Simulate a shop") as step:
        counts = write_simulated_shop(
            raw, size=size, seed=seed, end=today, timezone="Europe/London"
        )
        step.summary = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    init_shop(
        folder, name="Willow & Finch", currency="GBP", timezone="Europe/London", language="en"
    ).close()
    with (folder / CONFIG_FILE).open("a", encoding="utf-8") as settings:
        settings.write(_HURRY)
    with open_shop(folder) as shop:
        imports = (
            ("Import items", jobs.import_items, "items.csv"),
            ("Import and clean orders", jobs.import_orders, "orders.csv"),
            ("Import customers", jobs.import_customers, "customers.csv"),
            ("Import and clean web events", jobs.import_events, "events.parquet"),
        )
        for title, bring_in, name in imports:
            with long_step(title) as step:
                step.summary = summarise_import(bring_in(shop, raw / name, progress=step.progress))
        for job in jobs.TRAINING:
            with long_step(job.title) as step:
                step.summary = job.run(shop, step.progress)
        with long_step("Plan") as step:
            step.summary = jobs.make_plan(shop, step.progress).summary
