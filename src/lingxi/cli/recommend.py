"""``lingxi recommend``: what one customer, or a visitor, would like."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.items import print_items


@click.command("recommend")
@click.argument("customer", required=False)
@click.option("-n", "n", default=10, show_default=True, help="How many items.")
@click.option("--history", default="", help="For a visitor: item ids viewed, separated by commas.")
@shop_option
@json_option
@guarded
def command(customer: str | None, n: int, history: str, folder: Path | None, as_json: bool) -> None:
    """Recommend items to CUSTOMER, or to an unknown visitor if none is named."""
    items = [part.strip() for part in history.split(",") if part.strip()]
    with open_shop(folder) as shop:
        if customer is not None:
            shop.answers.require_customer(customer)
        view = shop.answers.recommendations(customer, n=n, history=items)
        currency = shop.settings.shop.currency
    if as_json:
        print_json(view)
        return
    who = f"customer {view.customer_id}" if view.known else "a visitor"
    click.echo(f"For {who}, by {view.model}:")
    lead = "because you bought" if view.known else "because you looked at"
    print_items(view.items, currency, lead=lead)
