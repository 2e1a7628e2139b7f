"""``lingxi backup``: save the shop to a folder while it runs."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step


@click.command("backup")
@click.argument("destination", type=click.Path(path_type=Path))
@shop_option
@json_option
@guarded
def command(destination: Path, folder: Path | None, as_json: bool) -> None:
    """Save state, lake and models to DESTINATION, consistent, while the shop runs.

    The customers' keys are not saved: keep the shop's keys folder somewhere else.
    """
    from lingxi.app import jobs

    with open_shop(folder) as shop, long_step("Backup", quiet=as_json) as step:
        made = jobs.back_up(shop, destination, step.progress)
        step.summary = f"{made.events:,} events, {made.files:,} files in {destination}"
    if as_json:
        print_json({"folder": str(destination), "events": made.events, "files": made.files})
