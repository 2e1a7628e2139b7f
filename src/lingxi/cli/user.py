"""``lingxi user``: users of the dashboard."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

if TYPE_CHECKING:
    from lingxi.access import Role

_ACTOR = "cli"


@click.group("user")
def command() -> None:
    """Who may log in to the dashboard, and as what."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_all(folder: Path | None, as_json: bool) -> None:
    """All users with their roles."""
    from lingxi.access.users import list_users

    with open_shop(folder) as shop, shop.store.read() as tx:
        users = list_users(tx)
    if as_json:
        print_json([{"name": user.name, "role": user.role} for user in users])
        return
    print_table(["name", "role"], [[user.name, user.role] for user in users], frozenset())


@command.command("add")
@click.argument("name")
@click.option(
    "--role", default="viewer", show_default=True, help="administrator, marketer, viewer."
)
@shop_option
@json_option
@guarded
def add(name: str, role: str, folder: Path | None, as_json: bool) -> None:
    """Add the user NAME with a random password, which is shown once."""
    from lingxi.access import Credentials
    from lingxi.access.passwords import random_password
    from lingxi.access.users import create_user

    credentials = Credentials(name, random_password())
    wanted = _read_role(role)
    with open_shop(folder) as shop, shop.store.write() as tx:
        create_user(tx, shop.clock.now(), credentials, wanted, actor=_ACTOR)
    _show_password(credentials.name, credentials.password, as_json)


@command.command("password")
@click.argument("name")
@shop_option
@json_option
@guarded
def password(name: str, folder: Path | None, as_json: bool) -> None:
    """Give the user NAME a new random password; all their sessions end."""
    from lingxi.access import Credentials
    from lingxi.access.passwords import random_password
    from lingxi.access.users import change_password

    credentials = Credentials(name, random_password())
    with open_shop(folder) as shop, shop.store.write() as tx:
        change_password(tx, shop.clock.now(), credentials, actor=_ACTOR)
    _show_password(credentials.name, credentials.password, as_json)


@command.command("role")
@click.argument("name")
@click.argument("role")
@shop_option
@json_option
@guarded
def role(name: str, role: str, folder: Path | None, as_json: bool) -> None:
    """Give the user NAME another ROLE."""
    from lingxi.access.users import change_role

    wanted = _read_role(role)
    with open_shop(folder) as shop, shop.store.write() as tx:
        change_role(tx, shop.clock.now(), name, wanted, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "role": role})
    else:
        click.echo(f"{name} is now {role}.")


@command.command("remove")
@click.argument("name")
@shop_option
@json_option
@guarded
def remove(name: str, folder: Path | None, as_json: bool) -> None:
    """Remove the user NAME; all their sessions end."""
    from lingxi.access.users import remove_user

    with open_shop(folder) as shop, shop.store.write() as tx:
        remove_user(tx, shop.clock.now(), name, actor=_ACTOR)
    if as_json:
        print_json({"name": name, "removed": True})
    else:
        click.echo(f"Removed {name}.")


def _read_role(text: str) -> "Role":
    from lingxi.access import Role
    from lingxi.errors import InvalidInput

    try:
        return Role(text)
    except ValueError as error:
        known = ", ".join(Role)
        raise InvalidInput(f"There is no role {text!r}; it is one of {known}.") from error


def _show_password(name: str, secret: str, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "password": secret})
    else:
        click.echo(f"{name}  password: {secret}")
        click.echo("It is shown only now.")
