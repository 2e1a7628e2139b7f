"""``lingxi rates``: exchange rates, so that money of other currencies counts."""

from datetime import datetime
from pathlib import Path

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    shop_option,
)


@click.group("rates")
def command() -> None:
    """Exchange rates by day; a day without one takes the last of the ten days before."""


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--base", default="EUR", show_default=True, help="What one unit of is priced.")
@shop_option
@json_option
@guarded
def import_file(file: Path, base: str, folder: Path | None, as_json: bool) -> None:
    """Bring in the rates of FILE: 'Date,USD,JPY,...' or 'date,currency,rate' (.csv, or zipped).

    The European Central Bank publishes such a file each working day: eurofxref-hist.zip.
    """
    from lingxi.app.rates import count_waiting_for_rates, import_rates

    with open_shop(folder) as shop:
        report = import_rates(shop, file, base=base.upper())
        waiting = count_waiting_for_rates(shop)
    if as_json:
        print_json({"report": report, "waiting": waiting})
        return
    click.echo(
        f"Kept {report.rates:,} rates of {len(report.currencies)} currencies against "
        f"{report.base}, {report.first} to {report.last}."
    )
    for reason, n in sorted(report.skipped.items()):
        if n:
            click.echo(f"Skipped {n:,}: {reason}.")
    if waiting:
        click.echo(
            f"{waiting:,} in quarantine wait for a rate: lingxi quarantine replay "
            "--reason currency_rate_missing"
        )


@command.command("list")
@shop_option
@json_option
@guarded
def list_rates(folder: Path | None, as_json: bool) -> None:
    """The currencies that have rates."""
    from lingxi.app.rates import list_rates as ask

    with open_shop(folder) as shop:
        known = ask(shop)
    if as_json:
        print_json(known)
        return
    rows = [
        [k.base, k.currency, f"{k.days:,}", str(k.first), str(k.last), str(k.value)] for k in known
    ]
    print_table(["base", "currency", "days", "from", "to", "last rate"], rows, frozenset({2, 5}))


@command.command("show")
@click.argument("currency")
@click.option("--day", default=None, type=click.DateTime(["%Y-%m-%d"]), help="Today if left out.")
@shop_option
@json_option
@guarded
def show(currency: str, day: datetime | None, folder: Path | None, as_json: bool) -> None:
    """What one unit of CURRENCY comes to in the shop's own on a day."""
    from lingxi.app.rates import find_rate

    with open_shop(folder) as shop:
        found = find_rate(shop, currency.upper(), day.date() if day else None)
    if as_json:
        print_json(found)
    else:
        click.echo(f"1 {found.currency} = {found.rate:.6f} {found.own} on {found.day}")
