"""``lingxi privacy``: requests about persons that came by webhook."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option


@click.group("privacy")
def command() -> None:
    """Requests of shop platforms for an export or an erasure."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All requests, newest first, with the day each is due."""
    from lingxi.app.privacy import list_requests

    with open_shop(folder) as shop:
        found = list_requests(shop)
    if as_json:
        print_json(found)
        return
    rows = [
        [
            str(r.id),
            r.kind,
            r.source,
            ", ".join(r.ids),
            f"{r.due_at:%Y-%m-%d}",
            r.outcome or ("done" if r.done_at else "open"),
        ]
        for r in found
    ]
    print_table(["id", "kind", "source", "whom", "due", "state"], rows, frozenset())


@command.command("run")
@shop_option
@json_option
@guarded
def run(folder: Path | None, as_json: bool) -> None:
    """Carry out the erasures that are due. The server does so after each webhook too."""
    from lingxi.app.privacy import run_requests

    with open_shop(folder) as shop:
        done = run_requests(shop)
    if as_json:
        print_json({"done": done})
    else:
        click.echo(f"Carried out {done}.")


@command.command("done")
@click.argument("request_id", type=int)
@shop_option
@json_option
@guarded
def done(request_id: int, folder: Path | None, as_json: bool) -> None:
    """Note that the export asked for in REQUEST_ID was handed over (lingxi person export)."""
    from lingxi.app.privacy import finish_request

    with open_shop(folder) as shop:
        finish_request(shop, request_id, "handed over")
    if as_json:
        print_json({"id": request_id, "done": True})
    else:
        click.echo(f"Request {request_id} is done.")


@command.command("verify")
@click.argument("receipt", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@shop_option
@json_option
@guarded
def verify(receipt: Path, folder: Path | None, as_json: bool) -> None:
    """Check that RECEIPT of an erasure is this shop's and was not changed (lingxi forget)."""
    from lingxi.app.erase import is_ours, read_receipt
    from lingxi.errors import InvalidInput

    found = read_receipt(receipt.read_bytes())
    with open_shop(folder) as shop:
        if not is_ours(shop, found):
            raise InvalidInput(
                f"{receipt} was not signed by this shop, or something in it was changed."
            )
    if as_json:
        print_json({"signed": True, "erased_at": found.erased_at})
    else:
        rows = sum(found.rows.values())
        click.echo(
            f"Signed by this shop: {rows:,} rows were erased at {found.erased_at.isoformat()}."
        )
