"""``lingxi journey simulate``: a journey tried on the past, before anybody gets a message."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option
from lingxi.cli.journey_file import read_journey_file

if TYPE_CHECKING:
    from lingxi.app.journeys.outcome import Difference, Simulation
    from lingxi.app.shop import Shop
    from lingxi.journeys.graph import Journey


@click.command("simulate")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--days", default=90, show_default=True, help="How much of the past to replay.")
@click.option("--against", default="", help="A published VERSION of the journey, or a FILE.")
@shop_option
@json_option
@guarded
def simulate(file: Path, days: int, against: str, folder: Path | None, as_json: bool) -> None:
    """Replay the log under a simulated clock and say what FILE would have done; FILE may also be
    the name of a journey of the shop, whose draft is then tried. Nothing is written to the shop.
    """
    from lingxi.app.journeys.outcome import compare
    from lingxi.app.journeys.simulate import simulate as play

    with open_shop(folder) as shop:
        journey = _find(shop, str(file))
        view = play(shop, journey, days=days)
        other = None
        if against:
            before = _find_against(shop, journey, against)
            other = play(shop, before, days=days, until=view.end)
    differences = compare(other, view) if other is not None else ()
    if as_json:
        print_json({"simulation": view, "against": other, "differences": differences})
        return
    _print(view, shop.settings.shop.currency)
    if other is not None:
        _print_differences(differences, against)


def _find(shop: "Shop", named: str) -> "Journey":
    if not Path(named).exists() and "." not in named:
        return shop.journeys.get_draft(named)
    return read_journey_file(Path(named))


def _find_against(shop: "Shop", journey: "Journey", against: str) -> "Journey":
    if against.isdecimal():
        return shop.journeys.get_version(journey.name, int(against))
    return _find(shop, against)


def _print(view: "Simulation", currency: str) -> None:
    from lingxi.i18n import Translator

    words = Translator("en", currency=currency)
    click.echo(f"{view.journey}: {view.start:%Y-%m-%d} to {view.end:%Y-%m-%d}")
    click.echo(
        f"{view.customers} customers qualify: {view.runs} runs, {view.held_out} held out; "
        f"{view.on_the_way} on the way at the end."
    )
    for name, n in view.outcomes.items():
        click.echo(f"  ended: {name} {n}")
    for template, counts in view.messages.items():
        told = ", ".join(f"{what} {n}" for what, n in counts.items())
        click.echo(f"  message {template}: {told}")
    for name, n in view.kept_back.items():
        click.echo(f"  kept back: {name} {n}")
    for name, n in view.coupons.items():
        click.echo(f"  coupons of {name}: {n}")
    if view.coupons:
        click.echo(f"  coupons cost at most {words.money(view.coupon_cost_cents)}")
    for most, n in view.per_week.items():
        click.echo(f"  at most {most} a week: {n} customers")


def _print_differences(differences: "tuple[Difference, ...]", against: str) -> None:
    if not differences:
        click.echo(f"No different from {against}.")
        return
    rows = [
        [each.figure, str(each.before), str(each.after), f"{each.after - each.before:+d}"]
        for each in differences
    ]
    print_table(["figure", against, "this", "difference"], rows, frozenset({1, 2, 3}))
