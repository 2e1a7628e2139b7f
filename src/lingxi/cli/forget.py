"""``lingxi forget``: erase everything held on a customer."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option


@click.command("forget")
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shop_option
@json_option
@guarded
def command(customer: str, yes: bool, folder: Path | None, as_json: bool) -> None:
    """Erase CUSTOMER from log, lake, tables and models, and print a receipt."""
    from lingxi.app.erase import erase_customer

    with open_shop(folder) as shop:
        shop.answers.require_customer(customer)
        if not yes:
            click.confirm(
                f"Everything held on customer {customer} will be erased for good. Go on?",
                abort=True,
                err=True,
            )
        receipt = erase_customer(shop, customer)
    if as_json:
        print_json(receipt)
        return
    for room, rows in receipt.rows.items():
        click.echo(f"  {room}: {rows:,}")
    click.echo(f"Erased at {receipt.erased_at.isoformat()}, receipt {receipt.signature[:16]}...")
