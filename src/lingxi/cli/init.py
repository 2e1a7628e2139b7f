"""``lingxi init``: make a shop."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, print_json


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default=None, help="Name of the shop, shown on every page.")
@click.option("--currency", default="GBP", show_default=True, help="ISO 4217 code.")
@click.option("--timezone", default="UTC", show_default=True, help="IANA name: Europe/London.")
@click.option("--language", default="en", show_default=True, help="en or zh.")
@click.option("--database", default="", help="PostgreSQL address; SQLite in the folder if absent.")
@json_option
@guarded
def command(
    folder: Path,
    name: str | None,
    currency: str,
    timezone: str,
    language: str,
    database: str,
    as_json: bool,
) -> None:
    """Make a shop in FOLDER: its settings and an empty store."""
    from lingxi.app.shop import init_shop

    shop = init_shop(
        folder,
        name=name or folder.resolve().name,
        currency=currency.upper(),
        timezone=timezone,
        language=language,
        database=database,
    )
    shop.close()
    if as_json:
        print_json({"folder": str(folder), "name": shop.settings.shop.name})
        return
    click.echo(f"Made the shop {shop.settings.shop.name!r} in {folder}.")
    click.echo(f"Next: lingxi import orders FILE --shop {folder}")
