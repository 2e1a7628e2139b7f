"""``lingxi source``: who may send events, and with which key."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

if TYPE_CHECKING:
    from lingxi.access.sources import Source

_ACTOR = "cli"
_SECRET = "The secret with which Shopify or WooCommerce signs its webhooks."


@click.group("source")
def command() -> None:
    """Sources of events: pages, servers, shops; each with its own write key."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All sources with their write keys and when each was last seen."""
    with open_shop(folder) as shop:
        view = shop.answers.sources()
    if as_json:
        print_json(view.sources)
        return
    rows = [
        [
            row.name,
            row.kind,
            row.write_key,
            f"{row.stored:,}",
            f"{row.dropped:,}",
            "disabled" if row.disabled_at else "in use",
            row.last_seen_at.isoformat(timespec="seconds") if row.last_seen_at else "never",
        ]
        for row in view.sources
    ]
    head = ["name", "kind", "write key", "stored (24 h)", "set aside", "state", "last seen"]
    print_table(head, rows, frozenset({3, 4}))


@command.command("create")
@click.argument("name")
@click.option("--kind", default="web", show_default=True, help="web, server, snippet, shopify, ...")
@click.option("--secret", default="", help=_SECRET)
@click.option("--origin", "origins", multiple=True, help="A site that may send; any if absent.")
@shop_option
@json_option
@guarded
def create(
    name: str, kind: str, secret: str, origins: tuple[str, ...], folder: Path | None, as_json: bool
) -> None:
    """Make a source called NAME and show its write key."""
    from lingxi.access.sources import create_source, read_kind

    with open_shop(folder) as shop, shop.store.write() as tx:
        made = create_source(
            tx,
            shop.store.keyring,
            shop.clock.now(),
            name,
            read_kind(kind),
            actor=_ACTOR,
            secret=secret,
            allowed_origins=origins,
        )
    _tell(made, as_json)


@command.command("rotate")
@click.argument("name")
@click.option("--secret", default="", help=_SECRET)
@shop_option
@json_option
@guarded
def rotate(name: str, secret: str, folder: Path | None, as_json: bool) -> None:
    """Give the source NAME a new write key; the old one ends at once."""
    from lingxi.access.sources import rotate_source

    with open_shop(folder) as shop, shop.store.write() as tx:
        now = shop.clock.now()
        made = rotate_source(tx, shop.store.keyring, now, name, actor=_ACTOR, secret=secret)
    _tell(made, as_json)


@command.command("disable")
@click.argument("name")
@shop_option
@json_option
@guarded
def disable(name: str, folder: Path | None, as_json: bool) -> None:
    """Refuse everything from the source NAME from now on."""
    from lingxi.access.sources import disable_source

    with open_shop(folder) as shop, shop.store.write() as tx:
        disable_source(tx, shop.clock.now(), name, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "disabled": True})
    else:
        click.echo(f"Disabled {name}.")


def _tell(source: "Source", as_json: bool) -> None:
    if as_json:
        print_json({"name": source.name, "kind": source.kind.value, "write_key": source.write_key})
    else:
        click.echo(source.write_key)
        click.echo(f"The write key of {source.name}; it may stand in a public page.", err=True)
