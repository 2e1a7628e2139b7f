"""``lingxi key``: keys of the HTTP API."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

_ACTOR = "cli"


@click.group("key")
def command() -> None:
    """Secret keys with which programs may use the HTTP API."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All keys with what they may do; secrets are never shown again."""
    from lingxi.access.keys import list_keys

    with open_shop(folder) as shop, shop.store.read() as tx:
        keys = list_keys(tx)
    if as_json:
        print_json(
            [
                {"id": k.key_id, "name": k.name, "scopes": sorted(k.scopes), "used_at": k.used_at}
                | {"revoked_at": k.revoked_at}
                for k in keys
            ]
        )
        return
    rows = [
        [k.key_id, k.name, ", ".join(sorted(k.scopes)), "revoked" if k.revoked_at else "in use"]
        for k in keys
    ]
    print_table(["id", "name", "scopes", "state"], rows, frozenset())


@command.command("create")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="What the key may do, such as read:recommendations; give it several times for more.",
)
@shop_option
@json_option
@guarded
def create(name: str, scopes: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Make a key called NAME and show its secret, once."""
    from lingxi.access import Scope, create_key
    from lingxi.errors import InvalidInput

    unknown = [scope for scope in scopes if scope not in set(Scope)]
    if unknown or not scopes:
        what = f"There is no scope {unknown[0]!r}" if unknown else "A key needs a scope"
        raise InvalidInput(f"{what}; give --scope with one of {', '.join(Scope)}.")
    with open_shop(folder) as shop, shop.store.write() as tx:
        wanted = [Scope(scope) for scope in scopes]
        made = create_key(tx, shop.clock.now(), name, wanted, actor=_ACTOR)
    if as_json:
        print_json({"id": made.key.key_id, "secret": made.secret})
    else:
        click.echo(made.secret)
        click.echo("It is shown only now. Send it as: Authorization: Bearer KEY", err=True)


@command.command("revoke")
@click.argument("key_id")
@shop_option
@json_option
@guarded
def revoke(key_id: str, folder: Path | None, as_json: bool) -> None:
    """End the key KEY_ID at once."""
    from lingxi.access.keys import revoke_key

    with open_shop(folder) as shop, shop.store.write() as tx:
        revoke_key(tx, shop.clock.now(), key_id, actor=_ACTOR)
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        click.echo(f"Revoked {key_id}.")
