"""``lingxi forget``: erase everything held on a customer."""

from pathlib import Path

import click

from lingxi.cli.frame import claim_file, guarded, json_option, open_shop, print_json, shop_option


@click.command("forget")
@click.argument("customer")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--receipt",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write the signed receipt to.",
)
@shop_option
@json_option
@guarded
def command(customer: str, yes: bool, out: Path | None, folder: Path | None, as_json: bool) -> None:
    """Erase CUSTOMER from log, lake, tables and models, and print a signed receipt.

    Keep it: 'lingxi privacy verify' shows later that it is this shop's. It names nobody.
    """
    import msgspec

    from lingxi.app.erase import erase_customer
    from lingxi.app.watch.journal import count_left

    if out is not None:
        claim_file(out)  # before anything is gone that the receipt should tell
    with open_shop(folder) as shop:
        shop.answers.require_customer(customer)
        if not yes:
            click.confirm(
                f"Everything held on customer {customer} will be erased for good. Go on?",
                abort=True,
                err=True,
            )
        receipt = erase_customer(shop, customer)
        with shop.store.read() as tx:
            left = count_left(tx)
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(receipt), indent=2))
    for place, n in left.items():
        click.echo(
            f"Files that came in still lie in {place} ({n:,} in done/ and failed/). "
            "The customer may stand in them: delete them, nothing reads them again.",
            err=True,
        )
    if as_json:
        print_json(receipt)
        return
    for room, rows in receipt.rows.items():
        click.echo(f"  {room}: {rows:,}")
    click.echo(f"Erased at {receipt.erased_at.isoformat()}, signature {receipt.signature}")
    if out is not None:
        click.echo(f"The receipt is in {out}; check it with: lingxi privacy verify {out}")
