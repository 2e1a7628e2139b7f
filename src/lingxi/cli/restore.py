"""``lingxi restore``: bring a saved shop back."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, print_json
from lingxi.cli.steps import long_step


@click.command("restore")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@guarded
def command(source: Path, folder: Path, as_json: bool) -> None:
    """Bring the backup SOURCE back into FOLDER, a new shop or the old one without its data.

    Checksums are verified, and erasures made since the backup are made again.
    """
    from lingxi.app import jobs

    with long_step("Restore", quiet=as_json) as step:
        done = jobs.restore_shop(source, folder, progress=step.progress)
        step.summary = f"{done.events:,} events, {done.files:,} files"
    if as_json:
        print_json({"folder": str(folder), "events": done.events, "files": done.files})
