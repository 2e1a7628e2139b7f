"""``lingxi journey``: what customers are led through, from draft to published version."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    shop_option,
)
from lingxi.cli.journey_file import read_journey_file
from lingxi.cli.journey_simulate import simulate

if TYPE_CHECKING:
    from lingxi.app.journeys.views import FindingView, LintView
    from lingxi.journeys.graph import Journey

_ACTOR = "cli"


@click.group("journey")
def command() -> None:
    """Journeys: triggers, steps, goals; drafts, and versions that are never changed."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All journeys of the shop."""
    with open_shop(folder) as shop:
        view = shop.journeys.list_all()
    if as_json:
        print_json(view)
        return
    if not view.journeys:
        click.echo("There is no journey yet. 'lingxi journey gallery' shows ready ones.")
        return
    rows = [
        [
            each.name,
            each.state,
            str(each.published or ""),
            "yes" if each.changed else "",
            each.trigger,
            str(each.steps),
            str(each.messages),
            f"{each.holdout:.0%}",
            str(each.priority),
        ]
        for each in view.journeys
    ]
    head = [
        "journey", "state", "version", "draft differs", "trigger", "steps", "messages", "holdout",
        "priority",
    ]  # fmt: skip
    print_table(head, rows, frozenset({2, 5, 6, 7, 8}))


@command.command("show")
@click.argument("name")
@click.option("--version", type=int, help="A published version instead of the draft.")
@shop_option
@json_option
@guarded
def show(name: str, version: int | None, folder: Path | None, as_json: bool) -> None:
    """The journey NAME as its file, with its versions."""
    from lingxi.journeys.reading import form_of, render_journey

    with open_shop(folder) as shop:
        if version is not None:
            journey = shop.journeys.get_version(name, version)
            if as_json:
                print_json(form_of(journey))
            else:
                click.echo(render_journey(journey), nl=False)
            return
        view = shop.journeys.describe(name)
    if as_json:
        print_json(view)
        return
    click.echo(view.text, nl=False)
    for each in view.versions:
        note = f"  {each.note}" if each.note else ""
        moment = f"{each.published_at:%Y-%m-%d %H:%M}"
        click.echo(f"# version {each.version}  {moment}  {each.published_by}{note}")


@command.command("lint")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@shop_option
@json_option
@guarded
def lint(file: Path, language: str, folder: Path | None, as_json: bool) -> None:
    """What is wrong or doubtful in FILE; exit status 2 if it could not be published.

    In a shop, or with --shop, what the journey names is looked for there.
    """
    view = _lint(read_journey_file(file), folder)
    if as_json:
        print_json(view)
    else:
        _print_findings(view.findings, language)
        if not view.findings:
            click.echo(f"{view.name}: nothing found.")
    if not view.publishable:
        raise click.exceptions.Exit(2)


@command.command("gallery")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@json_option
@guarded
def gallery(language: str, as_json: bool) -> None:
    """Ready journeys, each with templates in both languages and sensible caps."""
    from lingxi.app.journeys.gallery import list_gallery

    view = list_gallery()
    if as_json:
        print_json(view)
        return
    for each in view.journeys:
        click.echo(f"{each.name}: {each.title[language]}")
        click.echo(f"    {each.note[language]}")
    click.echo("Take one with 'lingxi journey new NAME --from READY'.")


@command.command("new")
@click.argument("name")
@click.option("--from", "ready", required=True, help="The ready journey to begin with.")
@shop_option
@json_option
@guarded
def new(name: str, ready: str, folder: Path | None, as_json: bool) -> None:
    """Make a draft NAME from a ready journey, with the templates and offers it needs."""
    from lingxi.app.journeys.gallery import take_from_gallery

    with open_shop(folder) as shop:
        added = take_from_gallery(shop, name, ready, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "from": ready, "added": added})
        return
    click.echo(f"{name}: the draft is made from {ready}. Added with it: {', '.join(added) or '-'}.")
    click.echo(
        f"Try it with 'lingxi journey lint' and publish it: 'lingxi journey publish {name}'."
    )


@command.command("put")
@click.argument("file", type=click.Path(path_type=Path))
@shop_option
@json_option
@guarded
def put(file: Path, folder: Path | None, as_json: bool) -> None:
    """Make FILE the draft of the journey that it names; nothing that runs is changed."""
    journey = read_journey_file(file)
    with open_shop(folder) as shop:
        mark = shop.journeys.save(journey, actor=_ACTOR)
    if as_json:
        print_json({"name": journey.name, "mark": mark})
        return
    click.echo(f"{journey.name}: the draft is saved. 'lingxi journey publish' lets it begin.")


@command.command("publish")
@click.argument("name")
@click.option("--note", default="", help="Why, for the list of versions.")
@shop_option
@json_option
@guarded
def publish(name: str, note: str, folder: Path | None, as_json: bool) -> None:
    """Make the draft of NAME the version that new runs begin on."""
    with open_shop(folder) as shop:
        view = shop.journeys.publish(name, actor=_ACTOR, note=note)
    if as_json:
        print_json(view)
        return
    click.echo(f"{name}: version {view.version} is published.")
    _print_findings(view.findings, "en")


@command.command("restore")
@click.argument("name")
@click.argument("version", type=int)
@shop_option
@json_option
@guarded
def restore(name: str, version: int, folder: Path | None, as_json: bool) -> None:
    """Make VERSION of the journey NAME its draft again."""
    with open_shop(folder) as shop:
        mark = shop.journeys.restore(name, version, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "mark": mark})
        return
    click.echo(f"{name}: the draft is as in version {version}.")


@command.command("pause")
@click.argument("name")
@shop_option
@json_option
@guarded
def pause(name: str, folder: Path | None, as_json: bool) -> None:
    """Let NAME stand still: no run begins, and none moves, until it is resumed."""
    _set_paused(name, True, folder, as_json)


@command.command("resume")
@click.argument("name")
@shop_option
@json_option
@guarded
def resume(name: str, folder: Path | None, as_json: bool) -> None:
    """Let NAME go on: new runs begin, and those that stood still move."""
    _set_paused(name, False, folder, as_json)


@command.command("remove")
@click.argument("name")
@shop_option
@json_option
@guarded
def remove(name: str, folder: Path | None, as_json: bool) -> None:
    """Take NAME out of the shop; its versions stay, and runs on their way go on."""
    with open_shop(folder) as shop:
        shop.journeys.remove(name, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "removed": True})
        return
    click.echo(f"{name} is removed.")


def _lint(journey: "Journey", folder: Path | None) -> "LintView":
    from lingxi.config import CONFIG_FILE

    if folder is not None or (Path.cwd() / CONFIG_FILE).is_file():
        with open_shop(folder) as shop:
            return shop.journeys.lint(journey)
    from lingxi.app.journeys.desk import to_findings
    from lingxi.app.journeys.views import LintView
    from lingxi.journeys.lint import is_publishable
    from lingxi.journeys.lint import lint as find

    found = find(journey)
    return LintView(journey.name, is_publishable(found), to_findings(found))


def _set_paused(name: str, paused: bool, folder: Path | None, as_json: bool) -> None:
    with open_shop(folder) as shop:
        shop.journeys.set_paused(name, paused, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "paused": paused})
        return
    click.echo(f"{name} is paused." if paused else f"{name} goes on.")


def _print_findings(findings: "tuple[FindingView, ...]", language: str) -> None:
    from lingxi.i18n import Translator

    words = Translator(language)
    for each in findings:
        level = words.text(f"journeys.level.{each.level}")
        click.echo(f"{level}  {each.place}  [{each.code}]  {words.text(each.sentence)}")


command.add_command(simulate)
