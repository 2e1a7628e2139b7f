"""``lingxi recommend``: what one customer, a visitor or everyone would like."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from lingxi.cli.asking import ask_besides, split
from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.items import print_items
from lingxi.cli.steps import long_step
from lingxi.errors import InvalidInput

if TYPE_CHECKING:
    from lingxi.app.placements.request import Ask
    from lingxi.app.placements.views import PlacementView
    from lingxi.app.shop import Shop


@click.command("recommend")
@click.argument("customer", required=False)
@click.option("-n", "n", type=int, default=None, help="How many items; 10, or the placement's.")
@click.option("--history", default="", help="Item ids viewed just now, separated by commas.")
@click.option("--placement", default=None, help="Make the list of this placement.")
@click.option("--why", is_flag=True, help="With --placement: every cause and step.")
@click.option("--all", "everyone", is_flag=True, help="Every known customer, into a file.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="With --all: the Parquet file to write.",
)
@ask_besides
@shop_option
@json_option
@guarded
def command(
    customer: str | None,
    n: int | None,
    history: str,
    placement: str | None,
    why: bool,
    everyone: bool,
    out: Path | None,
    ask: "Ask",
    folder: Path | None,
    as_json: bool,
) -> None:
    """Recommend items to CUSTOMER, or to an unknown visitor if none is named.

    A list made here is looked at, not shown: it is not noted, and explores nothing. With --all
    --out FILE.parquet the lists of every known customer are written to a file: columns
    customer_id, rank, item_id, score, model and because.
    """
    if everyone or out is not None:
        if not everyone or out is None or customer is not None or placement or history:
            raise InvalidInput(
                "For everyone's lists write 'lingxi recommend --all --out FILE.parquet', with "
                "nothing else but -n."
            )
        _export(out, 10 if n is None else n, folder, as_json)
        return
    with open_shop(folder) as shop:
        if customer is not None:
            shop.answers.require_customer(customer)
        if placement is None:
            _recommend(shop, customer, 10 if n is None else n, split(history), ask, as_json)
            return
        whole = msgspec.structs.replace(ask, customer_id=customer, history=split(history), n=n)
        view = shop.answers.placements.recommend(placement, whole, explain=why, log=False)
    if as_json:
        print_json(view)
    else:
        _print_list(view)


def _recommend(
    shop: "Shop",
    customer: str | None,
    n: int,
    history: tuple[str, ...],
    ask: "Ask",
    as_json: bool,
) -> None:
    if any(getattr(ask, name) for name in ask.__struct_fields__):
        raise click.UsageError("--item, --cart and the like belong to --placement NAME.")
    view = shop.answers.recommendations(customer, n=n, history=history)
    if as_json:
        print_json(view)
        return
    who = f"customer {view.customer_id}" if view.known else "a visitor"
    click.echo(f"For {who}, by {view.model}:")
    lead = "because you bought" if view.known else "because you looked at"
    print_items(view.items, shop.settings.shop.currency, lead=lead)


def _print_list(view: "PlacementView") -> None:
    from lingxi.i18n import Translator

    words = Translator("en", currency=view.currency)
    arm = f", arm {view.arm} of {view.experiment}" if view.arm else ""
    click.echo(f"{view.placement} for {view.customer_id or 'a visitor'}{arm}:")
    if not view.items:
        click.echo("  nothing to show")
    for item in view.items:
        price = "" if item.price_cents is None else f"  {words.money(item.price_cents)}"
        click.echo(f"{item.position:3d}. {item.item_id}  {item.name}{price}")
        click.echo(f"     {words.text(item.why)}")
        for step in item.steps:
            click.echo(f"       {words.text(step.sentence)}")
        for cause in item.causes:
            click.echo(
                f"       {cause.contribution:+.6f}  {cause.name or cause.item_id or cause.kind}"
            )
        for signal in item.signals:
            click.echo(f"       {signal.contribution:+.4f}  {words.text(signal.sentence)}")
    if view.diversity_loss > 0:
        click.echo(f"Diversity costs {view.diversity_loss:.1%} of the relevance.")


def _export(out: Path, n: int, folder: Path | None, as_json: bool) -> None:
    from lingxi.app.lists import export_lists

    with open_shop(folder) as shop, long_step("Recommendations", quiet=as_json) as step:
        done = export_lists(shop, out, n=n, progress=step.progress)
        step.summary = f"{done.customers:,} customers, {done.rows:,} rows in {out}"
    if as_json:
        print_json(
            {
                "file": str(done.path),
                "customers": done.customers,
                "rows": done.rows,
                "version": done.version,
            }
        )
