"""``lingxi import``: bring in orders, events or items from a file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step

if TYPE_CHECKING:
    from lingxi.app.views import ImportReport

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group("import")
def command() -> None:
    """Bring in data from a file. Importing the same file twice changes nothing."""


@command.command("orders")
@_FILE
@click.option(
    "--map",
    "mapping",
    default="",
    help="Columns by hand: customer=CustomerID,order=InvoiceNo,item=StockCode,...",
)
@click.option("--timezone", default="", help="Time zone of the file; the shop's if not given.")
@click.option("--currency", default="", help="Currency of the file; the shop's if not given.")
@click.option("--date-format", default="", help="Such as %d/%m/%Y %H:%M; detected if not given.")
@click.option("--sheet", default="", help="Sheet of an XLSX file; the first if not given.")
@click.option("--encoding", default="", help="Of a CSV file; detected if not given.")
@click.option("--delimiter", default="", help="Of a CSV file; detected if not given.")
@click.option("--decimal-mark", default="", help="'.' or ','; detected if not given.")
@shop_option
@json_option
@guarded
def import_orders(file: Path, folder: Path | None, as_json: bool, **options: str) -> None:
    """Bring in order lines from FILE (.csv, .parquet or .xlsx)."""
    from lingxi.app import jobs
    from lingxi.ingest import ImportOptions

    chosen = ImportOptions.parse(**options)
    with open_shop(folder) as shop, long_step(f"Import {file.name}", quiet=as_json) as step:
        report = jobs.import_orders(shop, file, chosen, progress=step.progress)
        step.summary = summarise_import(report)
    _show(report, as_json)


@command.command("events")
@_FILE
@shop_option
@json_option
@guarded
def import_events(file: Path, folder: Path | None, as_json: bool) -> None:
    """Bring in browsing, search and cart events from FILE (.parquet, .csv or .jsonl)."""
    from lingxi.app import jobs

    with open_shop(folder) as shop, long_step(f"Import {file.name}", quiet=as_json) as step:
        report = jobs.import_events(shop, file, progress=step.progress)
        step.summary = summarise_import(report)
    _show(report, as_json)


@command.command("items")
@_FILE
@click.option("--complete", is_flag=True, help="FILE lists all: what it does not goes off sale.")
@click.option("--map", "mapping", default="", help="Columns by hand: item=SKU,name=Title,...")
@click.option("--currency", default="", help="Of amounts that name none; the shop's if not given.")
@click.option("--encoding", default="", help="Of a CSV or XML file; detected if not given.")
@click.option("--delimiter", default="", help="Of a CSV file; detected if not given.")
@shop_option
@json_option
@guarded
def import_items(
    file: Path, complete: bool, folder: Path | None, as_json: bool, **options: str
) -> None:
    """Bring in the catalogue from FILE (.csv, .tsv, .parquet, .xlsx, Google Merchant .xml)."""
    from lingxi.app import jobs
    from lingxi.ingest import ImportOptions

    chosen = ImportOptions.parse(**options)
    with open_shop(folder) as shop, long_step(f"Import {file.name}", quiet=as_json) as step:
        report = jobs.import_items(shop, file, chosen, complete=complete, progress=step.progress)
        step.summary = summarise_import(report)
    _show(report, as_json)


@command.command("gorse")
@_FILE
@shop_option
@json_option
@guarded
def import_gorse(file: Path, folder: Path | None, as_json: bool) -> None:
    """Bring in users, items and feedback from FILE: Gorse's dump, or its exports as JSON lines."""
    from lingxi.app import jobs

    with open_shop(folder) as shop, long_step(f"Import {file.name}", quiet=as_json) as step:
        report = jobs.import_gorse(shop, file, progress=step.progress)
        step.summary = summarise_import(report)
    _show(report, as_json)


def summarise_import(report: "ImportReport") -> str:
    """What came in, in one line."""
    aside = f", {report.lines_set_aside:,} set aside" if report.lines_set_aside else ""
    known = f", {report.events_known:,} known already" if report.events_known else ""
    return (
        f"{report.lines_in:,} lines in, {report.lines_kept:,} kept{aside}; "
        f"{report.events_new:,} new events{known}"
    )


def _show(report: "ImportReport", as_json: bool) -> None:
    from lingxi.i18n import Translator

    if as_json:
        print_json(report)
        return
    if report.mapping:
        columns = ", ".join(f"{role}={column}" for role, column in report.mapping.items())
        click.echo(f"Columns: {columns}")
    if report.date_format:
        click.echo(
            f"Dates read as {report.date_format} in {report.timezone}; money in {report.currency}."
        )
    words = Translator("en", currency=report.currency or "GBP")
    for note in report.notes:
        click.echo(f"Note: {words.text(note)}")
    click.echo("What was set aside or changed, and why: lingxi quality")
