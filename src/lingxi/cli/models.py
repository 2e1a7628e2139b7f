"""``lingxi models``: list model versions, switch between them, roll back."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option


@click.group("models")
def command() -> None:
    """Versions of every model: list them, switch to one, roll back to the one before."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_models(folder: Path | None, as_json: bool) -> None:
    """Every kept version; the one in use is marked."""
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.models()
        words = Translator("en", shop.settings.zone)
    if as_json:
        print_json(view)
        return
    rows = [
        [
            "*" if v.active else "",
            v.kind,
            v.version,
            words.time(v.created_at),
            v.chosen,
            f"renewal {v.renewals}" if v.renewals else "",
        ]
        for v in view.versions
    ]
    if not rows:
        click.echo("No model yet. Run: lingxi train")
        return
    print_table(["", "kind", "version", "made", "chosen", ""], rows, frozenset())


@command.command("activate")
@click.argument("kind")
@click.argument("version")
@shop_option
@json_option
@guarded
def activate(kind: str, version: str, folder: Path | None, as_json: bool) -> None:
    """Put VERSION of the model KIND in use."""
    with open_shop(folder) as shop:
        shop.store.artefacts.activate(kind, version)
    _say(kind, version, as_json)


@command.command("rollback")
@click.argument("kind")
@shop_option
@json_option
@guarded
def rollback(kind: str, folder: Path | None, as_json: bool) -> None:
    """Put the version before the present one of the model KIND in use."""
    with open_shop(folder) as shop:
        version = shop.store.artefacts.rollback(kind).version
    _say(kind, version, as_json)


def _say(kind: str, version: str, as_json: bool) -> None:
    if as_json:
        print_json({"kind": kind, "version": version})
    else:
        click.echo(f"{kind} now uses version {version}.")
