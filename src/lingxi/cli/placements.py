"""``lingxi placements``: where lists stand, what fills them, and why not this item."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.asking import ask_options
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
    from lingxi.app.placements.request import Ask
    from lingxi.app.placements.views import PreviewView
    from lingxi.recommend.placements.definition import Placement

_ACTOR = "cli"


@click.group("placements")
def command() -> None:
    """Placements: defined in placements.toml in the shop's folder, over built-in ones."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All placements with what fills them."""
    from lingxi.app.placements.telling import list_definitions

    with open_shop(folder) as shop:
        view = list_definitions(shop.answers.placements.book)
    if as_json:
        print_json(view)
        return
    rows = [
        [
            each.name,
            " > ".join(each.definition.strategies),
            str(each.definition.n),
            str(len(each.definition.rules)),
            f"{each.definition.exploration.share:.0%}",
            each.definition.experiment.name if each.definition.experiment else "",
            "changed" if each.changed else "built in",
        ]
        for each in view.placements
    ]
    head = ["placement", "strategies", "n", "rules", "explores", "experiment", "definition"]
    print_table(head, rows, frozenset({2, 3, 4}))
    if view.problem:
        click.echo(f"The file cannot be used as it is: {view.problem}", err=True)


@command.command("show")
@click.argument("name")
@shop_option
@json_option
@guarded
def show(name: str, folder: Path | None, as_json: bool) -> None:
    """The placement NAME as TOML, and its versions."""
    from lingxi.app.placements.telling import describe

    with open_shop(folder) as shop:
        view = describe(shop.answers.placements.book, name)
    if as_json:
        print_json(view)
        return
    click.echo(view.text or f"# {name} is as built in.")
    for each in view.versions:
        note = f"  {each.note}" if each.note else ""
        back = f"  (as version {each.restored})" if each.restored else ""
        click.echo(f"version {each.version}  {each.at:%Y-%m-%d %H:%M}  {each.actor}{back}{note}")


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@shop_option
@json_option
@guarded
def check(file: Path | None, folder: Path | None, as_json: bool) -> None:
    """Read FILE, or the shop's placements.toml, and say what cannot be used in it."""
    from lingxi.recommend.placements.file import read_definitions

    if file is not None:
        found = read_definitions(read_file(file))
    else:
        with open_shop(folder) as shop:
            path = shop.answers.placements.book.path
            found = read_definitions(read_file(path) if path.exists() else "")
    if as_json:
        print_json({"placements": list(found.placements), "rules": len(found.rules)})
        return
    click.echo(f"{len(found.placements)} placements: {', '.join(found.placements)}.")


@command.command("put")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--note", default="", help="Why, for the list of versions.")
@shop_option
@json_option
@guarded
def put(name: str, file: Path, note: str, folder: Path | None, as_json: bool) -> None:
    """Make the placement NAME what FILE says of it."""
    with open_shop(folder) as shop:
        placement = _read_one(name, file)
        version = shop.answers.placements.book.put(name, placement, actor=_ACTOR, note=note)
    if as_json:
        print_json({"name": name, "version": version})
        return
    click.echo(f"{name} is now version {version}.")


@command.command("restore")
@click.argument("name")
@click.argument("version", type=int)
@shop_option
@json_option
@guarded
def restore(name: str, version: int, folder: Path | None, as_json: bool) -> None:
    """Make the placement NAME what it was in VERSION."""
    with open_shop(folder) as shop:
        new = shop.answers.placements.book.restore(name, version, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "version": new})
        return
    click.echo(f"{name} is as in version {version} again (now version {new}).")


@command.command("preview")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--sample", default=50, show_default=True, help="Customers to try it on.")
@click.option("--lists", "show_lists", default=3, show_default=True, help="Lists to print.")
@shop_option
@json_option
@guarded
def preview(
    name: str, file: Path, sample: int, show_lists: int, folder: Path | None, as_json: bool
) -> None:
    """What FILE would do to the lists of the placement NAME; nothing is changed."""
    with open_shop(folder) as shop:
        draft = _read_one(name, file)
        view = shop.answers.placements.preview(name, draft, sample=sample, show=show_lists)
    if as_json:
        print_json(view)
        return
    _print_preview(view)


@command.command("why")
@click.argument("name")
@click.argument("wanted", metavar="ITEM")
@ask_options
@shop_option
@json_option
@guarded
def why(name: str, wanted: str, ask: "Ask", folder: Path | None, as_json: bool) -> None:
    """Why ITEM is not in the list of the placement NAME, or where it stands."""
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.placements.why_not(name, ask, wanted)
    if as_json:
        print_json(view)
        return
    words = Translator("en")
    click.echo(f"{view.item_id}  {view.name}".rstrip())
    for sentence in view.sentences:
        click.echo(f"  {words.text(sentence)}")


def _read_one(name: str, path: Path) -> "Placement":
    from lingxi.recommend.placements.file import read_definitions

    return read_definitions(read_file(path)).get(name)


def _print_preview(view: "PreviewView") -> None:
    click.echo(
        f"{view.changed} of {view.sample} lists change; {view.kept_share:.0%} of their items stay. "
        f"{view.shorter} become shorter, {view.empty} are empty."
    )
    for title, moved in (("enters", view.entering), ("leaves", view.leaving)):
        for each in moved[:10]:
            click.echo(f"  {title:6s} {each.lists:4d} lists  {each.item_id}  {each.name}")
    for pair in view.lists:
        click.echo(f"\n{pair.customer_id or 'a visitor'}")
        click.echo(f"  before: {', '.join(pair.before)}")
        click.echo(f"  after:  {', '.join(pair.after)}")
