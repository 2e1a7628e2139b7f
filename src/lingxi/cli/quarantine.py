"""``lingxi quarantine``: list, export, mend and replay what was set aside."""

from collections.abc import Mapping
from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option
from lingxi.cli.import_files import summarise_import
from lingxi.cli.steps import long_step


@click.group("quarantine")
def command() -> None:
    """Lines that cleaning set aside: look at them, mend them, bring them back."""


@command.command("list")
@click.option("--reason", default="", help="Only this reason.")
@click.option("-n", "n", default=20, show_default=True, help="How many lines.")
@click.option("--cursor", default=None, help="Go on where a list ended.")
@shop_option
@json_option
@guarded
def list_lines(reason: str, n: int, cursor: str | None, folder: Path | None, as_json: bool) -> None:
    """The lines in quarantine, oldest first."""
    with open_shop(folder) as shop:
        view = shop.answers.quarantine(reason=reason, cursor=cursor, n=n)
        messages = shop.answers.waiting(n=1).by_reason
    if as_json:
        print_json(view)
        return
    rows = [
        [
            str(line.id),
            str(line.row),
            line.reason,
            ", ".join(f"{k}={v}" for k, v in line.raw.items() if v is not None)[:100],
        ]
        for line in view.rows
    ]
    print_table(["id", "row", "reason", "line"], rows, frozenset({0, 1}))
    if view.next_cursor:
        click.echo(f"More: lingxi quarantine list --cursor {view.next_cursor}")
    tell_messages(messages)


def tell_messages(by_reason: Mapping[str, int]) -> None:
    """Say how many messages of the collector wait beside the lines of files, and where."""
    if by_reason:
        told = ", ".join(f"{reason} {n:,}" for reason, n in sorted(by_reason.items()))
        click.echo(
            f"Messages of the collector that wait: {told}. They are read and mended on the "
            "dashboard's page 'Data quality', or over /v1/waiting."
        )


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--reason", default="", help="Only this reason.")
@shop_option
@json_option
@guarded
def export(file: Path, reason: str, folder: Path | None, as_json: bool) -> None:
    """Write the lines in quarantine to FILE (.csv), to be mended in a spreadsheet."""
    from lingxi.app import jobs

    with open_shop(folder) as shop:
        lines = jobs.export_quarantine(shop, file, reason=reason)
    if as_json:
        print_json({"file": str(file), "lines": lines})
    else:
        click.echo(f"Wrote {lines:,} lines to {file}. Mend them, then: lingxi quarantine mend FILE")


@command.command("mend")
@click.argument("file", type=click.Path(path_type=Path))
@shop_option
@json_option
@guarded
def mend(file: Path, folder: Path | None, as_json: bool) -> None:
    """Bring in the mended lines of FILE; those that pass leave quarantine."""
    from lingxi.app import jobs

    with open_shop(folder) as shop, long_step("Mend", quiet=as_json) as step:
        report = jobs.mend_quarantine(shop, file, progress=step.progress)
        step.summary = summarise_import(report)
    if as_json:
        print_json(report)


@command.command("replay")
@click.option("--reason", default="", help="Only this reason, such as currency_rate_missing.")
@shop_option
@json_option
@guarded
def replay(reason: str, folder: Path | None, as_json: bool) -> None:
    """Run today's rules over everything in quarantine; what passes leaves it."""
    from lingxi.app import jobs

    with open_shop(folder) as shop, long_step("Replay", quiet=as_json) as step:
        done = jobs.replay_quarantine(shop, reason=reason, progress=step.progress)
        told = [] if done.lines is None else [summarise_import(done.lines)]
        tried = done.messages
        if tried.stored or tried.duplicates or tried.still_waiting:
            told.append(
                f"{tried.stored:,} messages taken, {tried.duplicates:,} known already, "
                f"{tried.still_waiting:,} still waiting"
            )
        step.summary = "; ".join(told)
    if as_json:
        print_json(done)
