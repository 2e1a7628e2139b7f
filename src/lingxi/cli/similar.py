"""``lingxi similar``: what is like an item."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.items import print_items


@click.command("similar")
@click.argument("item")
@click.option("-n", "n", default=10, show_default=True, help="How many items.")
@shop_option
@json_option
@guarded
def command(item: str, n: int, folder: Path | None, as_json: bool) -> None:
    """Items like ITEM, nearest first."""
    with open_shop(folder) as shop:
        view = shop.answers.similar(item, n=n)
        currency = shop.settings.shop.currency
    if as_json:
        print_json(view)
        return
    click.echo(f"Like {view.item_id} {view.name}, by {view.model}:")
    print_items(view.items, currency)
