"""``lingxi watch``: bring in what is dropped into a folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, shop_option
from lingxi.cli.import_files import summarise_import

if TYPE_CHECKING:
    from lingxi.app.watch.folder import WatchedReport


@click.command("watch")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--once", is_flag=True, help="Bring in what is whole now, then end.")
@shop_option
@json_option
@guarded
def command(directory: Path | None, once: bool, folder: Path | None, as_json: bool) -> None:
    """Bring in the files that are dropped into DIRECTORY, until stopped.

    Without DIRECTORY the folder of [watch] in lingxi.toml. Files are told by their folder (orders/,
    customers/, items/, events/) or their name; each moves to done/ or failed/ with a report beside
    it. Several watchers count nothing twice.
    """
    from lingxi.app.watch.run import find_folder, watch

    with open_shop(folder) as shop:
        place = find_folder(shop, directory)
        if not as_json:
            click.echo(f"Watching {place}", err=True)
        watch(shop, place, lambda report: _tell(report, as_json), once=once)


def _tell(report: "WatchedReport", as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(report, enc_hook=str).decode())
    elif report.report is not None:
        click.echo(f"{report.file}: {summarise_import(report.report)}")
    else:
        click.echo(f"{report.file}: {report.error}", err=True)
