"""``lingxi export``: the shop's definitions as a folder of files."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option


@click.command("export")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@shop_option
@json_option
@guarded
def command(directory: Path, folder: Path | None, as_json: bool) -> None:
    """Write segments, offers, templates, journeys and placements to DIRECTORY, for git.

    The same shop gives the same files to the letter; 'lingxi apply' brings them back.
    """
    from lingxi.app.definitions.apply import export_folder

    with open_shop(folder) as shop:
        files = export_folder(shop, directory)
    if as_json:
        print_json({"directory": str(directory), "files": files})
        return
    click.echo(f"{len(files)} files in {directory}.")
