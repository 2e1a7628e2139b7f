"""``lingxi import``: bring in orders, customers, events or items from a file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import Step, long_step

if TYPE_CHECKING:
    from lingxi.app.jobs import BringIn
    from lingxi.app.views import ImportReport
    from lingxi.store import Progress

F = TypeVar("F", bound=Callable[..., object])

_FILE = click.argument("file", type=click.Path(path_type=Path))
_OPTIONS = (
    click.option("--timezone", default="", help="Of times that name none; the shop's by default."),
    click.option(
        "--currency", default="", help="Of amounts that name none; the shop's by default."
    ),
    click.option("--date-format", default="", help="Such as %d/%m/%Y %H:%M, or dmy; detected."),
    click.option("--sheet", default="", help="Sheet of an XLSX file; the first with a table."),
    click.option("--encoding", default="", help="Of a text file, such as gb18030; detected."),
    click.option("--delimiter", default="", help="Of a CSV file; detected."),
    click.option("--decimal-mark", default="", help="'.' or ','; detected."),
)


def _reading(example: str) -> Callable[[F], F]:
    """The options of how a file is read."""

    def add(function: F) -> F:
        wrapped: F = click.option(
            "--map", "mapping", default="", help=f"Columns by hand: {example}"
        )(function)
        for option in reversed(_OPTIONS):
            wrapped = option(wrapped)
        return wrapped

    return add


@click.group("import")
def command() -> None:
    """Bring in data from a file: CSV, JSON lines, Parquet or XLSX.

    Columns are recognised by their names; name those that are not with --map. Importing the same
    file twice changes nothing. An import that broke off goes on where it stopped: run it again.
    """


@command.command("orders")
@_FILE
@_reading("customer=CustomerID,order=InvoiceNo,item=StockCode,...")
@shop_option
@json_option
@guarded
def import_orders(file: Path, folder: Path | None, as_json: bool, **options: str) -> None:
    """Bring in orders from FILE: a line each product, or (.jsonl) an order with its lines."""
    from lingxi.app import jobs

    _bring_in(jobs.import_orders, file, folder, as_json, options)


@command.command("customers")
@_FILE
@_reading("customer=ID,email=Mail,phone=Tel,email_consent=Newsletter,time=Changed,...")
@shop_option
@json_option
@guarded
def import_customers(file: Path, folder: Path | None, as_json: bool, **options: str) -> None:
    """Bring in customers from FILE: ids, e-mail, phone, consent; other columns become traits."""
    from lingxi.app import jobs

    _bring_in(jobs.import_customers, file, folder, as_json, options)


@command.command("events")
@_FILE
@_reading("event=Action,user=UserID,time=When,item=SKU,...")
@shop_option
@json_option
@guarded
def import_events(file: Path, folder: Path | None, as_json: bool, **options: str) -> None:
    """Bring in browsing, search and cart events from FILE: a line each, or (.jsonl) messages."""
    from lingxi.app import jobs

    _bring_in(jobs.import_events, file, folder, as_json, options)


@command.command("items")
@_FILE
@click.option("--complete", is_flag=True, help="FILE lists all: what it does not goes off sale.")
@_reading("item=SKU,name=Title,...")
@shop_option
@json_option
@guarded
def import_items(
    file: Path, complete: bool, folder: Path | None, as_json: bool, **options: str
) -> None:
    """Bring in the catalogue from FILE (a table, JSON lines, or a Google Merchant .xml)."""
    from functools import partial

    from lingxi.app import jobs

    _bring_in(partial(jobs.import_items, complete=complete), file, folder, as_json, options)


def _bring_in(
    run: "BringIn", file: Path, folder: Path | None, as_json: bool, options: dict[str, str]
) -> None:
    from lingxi.ingest import ImportOptions

    chosen = ImportOptions.parse(**options)
    with open_shop(folder) as shop, long_step(f"Import {file.name}", quiet=as_json) as step:
        report = run(shop, file, chosen, progress=_say_goes_on(step))
        step.summary = summarise_import(report)
    _show(report, as_json)


def _say_goes_on(step: Step) -> "Progress":
    """The progress of an import, where one that broke off says first how much is there already."""
    from lingxi.ingest.files.take import GOES_ON

    def progress(part: str, done: int, total: int | None, /) -> None:
        if part == GOES_ON:
            step.say(
                f"Broken off before: {done:,} lines are in the log already, it goes on after them."
            )
        else:
            step.progress(part, done, total)

    return progress


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
