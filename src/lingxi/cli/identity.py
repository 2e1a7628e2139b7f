"""``lingxi identity``: who a customer is."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option


@click.group("identity")
def command() -> None:
    """Identifiers of a customer and the merges that made them."""


@command.command("show")
@click.argument("customer")
@shop_option
@json_option
@guarded
def show(customer: str, folder: Path | None, as_json: bool) -> None:
    """The identifiers of CUSTOMER and the merges, newest first."""
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.identity(customer)
        words = Translator(shop.settings.shop.language, shop.settings.zone, "")
    if as_json:
        print_json(view)
        return
    print_table(["kind", "identifier"], [[r.kind, r.value] for r in view.identifiers], frozenset())
    for merge in view.merges:
        state = " (undone)" if merge.undone_at else ""
        said = words.text(merge.sentence.code, **merge.sentence.params)
        click.echo(f"{merge.id}  {merge.at:%Y-%m-%d %H:%M}  {said}{state}")


@command.command("undo")
@click.argument("merge_id", type=int)
@shop_option
@json_option
@guarded
def undo(merge_id: int, folder: Path | None, as_json: bool) -> None:
    """Make two customers again of what merge MERGE_ID made one."""
    from lingxi.ingest.merging import undo_merge

    with open_shop(folder) as shop:
        undone = undo_merge(shop.store, merge_id)
    if as_json:
        print_json({"id": undone.id, "undone_at": undone.undone_at})
    else:
        click.echo(f"Undid merge {merge_id}: they are two customers again, and stay so.")
