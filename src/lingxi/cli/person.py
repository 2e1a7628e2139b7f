"""``lingxi person``: everything held on a customer, as a file."""

from pathlib import Path

import click

from lingxi.cli.frame import claim_file, guarded, json_option, open_shop, print_json, shop_option


@click.group("person")
def command() -> None:
    """What is held on one person."""


@command.command("export")
@click.argument("customer")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write."
)
@shop_option
@json_option
@guarded
def export(customer: str, out: Path, folder: Path | None, as_json: bool) -> None:
    """Write everything held on CUSTOMER to a JSON file."""
    import msgspec

    from lingxi.app.people import export_person

    with open_shop(folder) as shop:
        held = export_person(shop, customer)
    claim_file(out)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(held), indent=2))
    if as_json:
        print_json({"file": str(out), "events": len(held.events)})
    else:
        click.echo(f"Wrote {out}: {len(held.events):,} events and all that was made of them.")
