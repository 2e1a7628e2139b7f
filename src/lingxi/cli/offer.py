"""``lingxi offer``: what customers get, when, and what the shop will spend."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    read_file,
    shop_option,
)

if TYPE_CHECKING:
    from lingxi.app.coupons.views import OfferView

_ACTOR = "cli"


@click.group("offer")
def command() -> None:
    """Offers: benefit, conditions, validity, limits, and the kind of code that carries them."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All offers with what became of their coupons."""
    with open_shop(folder) as shop:
        view = shop.offers.list_all()
    if as_json:
        print_json(view)
        return
    if not view.offers:
        click.echo("There is no offer yet. Write one and run 'lingxi offer put FILE'.")
        return
    from lingxi.i18n import Translator

    words = Translator("en", currency=view.currency)
    head = ["offer", "state", "version", "issued", "outstanding", "redeemed", "spent", "in pool"]
    rows = [
        [
            each.name,
            each.state,
            str(each.version),
            f"{each.issued:,}",
            f"{each.outstanding:,}",
            f"{each.redeemed:,}",
            words.money(each.spent_cents),
            _pool(each),
        ]
        for each in view.offers
    ]
    print_table(head, rows, frozenset({2, 3, 4, 5, 6, 7}))
    if any(view.strays.values()):
        click.echo(words.text("coupons.strays", **view.strays))


def _pool(each: "OfferView") -> str:
    if each.free is None:
        return ""
    return f"{each.free:,}" + (" (low)" if each.low else "")


@command.command("show")
@click.argument("name")
@shop_option
@json_option
@guarded
def show(name: str, folder: Path | None, as_json: bool) -> None:
    """The offer NAME as its file."""
    with open_shop(folder) as shop:
        view = shop.offers.describe(name)
    if as_json:
        print_json(view)
        return
    from lingxi.forms import render_form

    click.echo(f"# {view.offer.state}, version {view.offer.version}, by {view.offer.actor}")
    click.echo(render_form(dict(view.offer.definition)), nl=False)


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@guarded
def check(file: Path, as_json: bool) -> None:
    """Read the offer in FILE and say what is wrong with it; nothing is changed."""
    from lingxi.coupons.file import parse_offer, spell_offer

    offer = parse_offer(read_file(file), str(file))
    if as_json:
        print_json({"name": offer.name, "definition": spell_offer(offer)})
        return
    click.echo(f"{offer.name} can be used.")


@command.command("put")
@click.argument("file", type=click.Path(path_type=Path))
@shop_option
@json_option
@guarded
def put(file: Path, folder: Path | None, as_json: bool) -> None:
    """Make the offer what FILE says. Codes that are out keep the terms they were issued under."""
    from lingxi.coupons.file import parse_offer

    offer = parse_offer(read_file(file), str(file))
    with open_shop(folder) as shop:
        view = shop.offers.put(offer, actor=_ACTOR)
    if as_json:
        print_json(view)
        return
    click.echo(f"{offer.name} is now version {view.offer.version}.")


@command.command("remove")
@click.argument("name")
@shop_option
@json_option
@guarded
def remove(name: str, folder: Path | None, as_json: bool) -> None:
    """Take the offer NAME away. One that has coupons stays: pause it."""
    with open_shop(folder) as shop:
        view = shop.offers.remove(name, actor=_ACTOR)
    if as_json:
        print_json(view)
        return
    click.echo(f"{name} is removed.")
