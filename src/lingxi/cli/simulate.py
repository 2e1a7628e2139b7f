"""``lingxi simulate``: make the files of a simulated shop."""

from datetime import UTC, datetime
from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, print_json
from lingxi.cli.steps import long_step


@click.command("simulate")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--size", default="demo", show_default=True, help="demo or tiny.")
@click.option("--seed", default=7, show_default=True, help="The same seed gives the same shop.")
@click.option("--end", default="", help="Last day, as 2026-01-31; yesterday if not given.")
@json_option
@guarded
def command(folder: Path, size: str, seed: int, end: str, as_json: bool) -> None:
    """Write items, customers, orders, web events and, apart, the truth behind them to FOLDER."""
    with long_step("Simulate", quiet=as_json) as step:
        counts = write_simulated_shop(folder, size=size, seed=seed, end=_read_end(end))
        step.summary = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    if as_json:
        print_json({"folder": str(folder), **counts})


def _read_end(text: str) -> datetime:
    from lingxi.errors import InvalidInput

    if not text:
        return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"--end must be a day such as 2026-01-31, not {text!r}.") from error


def write_simulated_shop(
    folder: Path, *, size: str, seed: int, end: datetime, timezone: str = "UTC"
) -> dict[str, int]:
    """Simulate a shop that ends at ``end`` and write its files; returns rows by kind.

    Times in orders.csv are those of ``timezone``.
    """
    from lingxi.simulation import preset, simulate, write_shop

    simulated = simulate(preset(size, seed=seed, end=end, timezone=timezone))
    write_shop(simulated, folder)
    return {
        "items": simulated.items.num_rows,
        "customers": simulated.customers.num_rows,
        "order lines": simulated.orders.num_rows,
        "web events": simulated.events.num_rows,
    }
