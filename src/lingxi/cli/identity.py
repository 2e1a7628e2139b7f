"""``lingxi identity``: who a customer is."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

if TYPE_CHECKING:
    from lingxi.app.collect_views import RefusedRow


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
    if view.refused:
        click.echo()
        _print_refused(view.refused)
    for merge in view.merges:
        state = " (undone)" if merge.undone_at else ""
        said = words.text(merge.sentence.code, **merge.sentence.params)
        click.echo(f"{merge.id}  {merge.at:%Y-%m-%d %H:%M}  {said}{state}")


@command.command("status")
@click.option("--days", type=click.IntRange(1, 90), default=7, help="How far to look back.")
@click.option("-n", type=click.IntRange(1, 500), default=20, help="Customers to list.")
@shop_option
@json_option
@guarded
def status(days: int, n: int, folder: Path | None, as_json: bool) -> None:
    """What was not joined, why, and with whom it happened most."""
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.refused_links(days=days, n=n)
        words = Translator(shop.settings.shop.language, shop.settings.zone, "")
    if as_json:
        print_json(view)
        return
    if not view.counts:
        click.echo(f"Nothing was refused within {days} days.")
        return
    counts = [[c.kind, str(c.n), words.text(c.sentence.code)] for c in view.counts]
    print_table(["kind", "refused", "why"], counts, frozenset({1}))
    click.echo()
    _print_refused(view.rows)


def _print_refused(rows: Sequence["RefusedRow"]) -> None:
    cells = [
        [r.customer_id, r.kind, r.masked, str(r.n), r.rule, r.other_id or "", r.event_id]
        for r in rows
    ]
    head = ["customer", "kind", "identifier", "times", "rule", "belongs to", "last message"]
    print_table(head, cells, frozenset({3}))


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
