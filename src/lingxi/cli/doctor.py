"""``lingxi doctor``: check the installation and the shop."""

import sys
from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


@click.command("doctor")
@shop_option
@json_option
@guarded
def command(folder: Path | None, as_json: bool) -> None:
    """Check everything that can be checked; exit status 1 if something has failed."""
    from lingxi.app.doctor import examine
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        checks = examine(shop)
    if as_json:
        print_json(checks)
    else:
        words = Translator("en")
        for check in checks:
            click.echo(f"{_MARKS[check.state]}  {check.name}: {words.text(check.sentence)}")
    if any(check.state == "failed" for check in checks):
        sys.exit(1)
