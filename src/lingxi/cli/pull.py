"""``lingxi pull``: bring in what sources have that nobody sends."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step

if TYPE_CHECKING:
    from lingxi.ingest.pulling import Pulled


@click.command("pull")
@click.argument("name", required=False, default="")
@click.option("--keep", is_flag=True, help="Go on, as often as each source says, until stopped.")
@shop_option
@json_option
@guarded
def command(name: str, keep: bool, folder: Path | None, as_json: bool) -> None:
    """Pull from the source NAME of lingxi.toml ([pull.NAME]), or from all of them.

    Each source goes on where it stopped, and each message counts once.
    """
    from lingxi.app.pulls import choose_pulls, keep_pulling, pull

    with open_shop(folder) as shop:
        names = choose_pulls(shop, name)
        if keep:
            keep_pulling(shop, names, lambda done: _tell(done, as_json))
            return
        found = []
        for each in names:
            with long_step(f"Pull {each}", quiet=as_json) as step:
                found.append(pull(shop, each, progress=step.progress))
                step.summary = summarise_pull(found[-1])
    if as_json:
        print_json(found)


def summarise_pull(pulled: "Pulled") -> str:
    """What came in, in one line."""
    known = f", {pulled.duplicates:,} known already" if pulled.duplicates else ""
    aside = f", {pulled.dropped:,} set aside" if pulled.dropped else ""
    return f"{pulled.stored:,} new messages{known}{aside}"


def _tell(pulled: "Pulled", as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(pulled).decode())
    elif pulled.stored or pulled.dropped:
        click.echo(f"{pulled.name}: {summarise_pull(pulled)}")
