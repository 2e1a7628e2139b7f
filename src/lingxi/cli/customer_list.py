"""``lingxi list``: lists of customers that people keep by hand."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option


@click.group("list", invoke_without_command=True)
@shop_option
@json_option
@click.pass_context
@guarded
def command(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Lists of customers by hand: all of them, or what a subcommand does."""
    if ctx.invoked_subcommand is not None:
        return
    with open_shop(folder) as shop:
        view = shop.lists.list()
    if as_json:
        print_json(view)
        return
    rows = [[each.name, each.title, f"{each.members:,}"] for each in view.lists]
    print_table(["list", "title", "customers"], rows, frozenset({2}))


@command.command("show")
@click.argument("name")
@click.option("--n", default=50, show_default=True, help="How many to show.")
@click.option("--cursor", default=None, help="next_cursor of the page before.")
@shop_option
@json_option
@guarded
def show(name: str, n: int, cursor: str | None, folder: Path | None, as_json: bool) -> None:
    """Who is on the list NAME."""
    with open_shop(folder) as shop:
        view = shop.lists.get(name, cursor=cursor, n=n)
    if as_json:
        print_json(view)
        return
    for each in view.customers:
        click.echo(each)
    if view.next_cursor:
        click.echo(f"More: --cursor {view.next_cursor}")


@command.command("put")
@click.argument("name")
@click.option("--title", default="", help="What people call it.")
@shop_option
@json_option
@guarded
def put(name: str, title: str, folder: Path | None, as_json: bool) -> None:
    """Make the list NAME, or give it another title."""
    with open_shop(folder) as shop:
        made = shop.lists.put(name, title, actor="cli")
    if as_json:
        print_json(made)
    else:
        click.echo(f"{made.name}: {made.title}, {made.members:,} customers.")


def _change(
    name: str,
    customers: tuple[str, ...],
    file: Path | None,
    folder: Path | None,
    as_json: bool,
    *,
    add: bool,
) -> None:
    wanted = list(customers)
    if file is not None:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        wanted += [line.strip() for line in lines if line.strip()]
    with open_shop(folder) as shop:
        change = shop.lists.add if add else shop.lists.remove
        view = change(name, wanted, actor="cli")
    if as_json:
        print_json(view)
        return
    word = "added" if add else "removed"
    click.echo(f"{view.changed:,} {word}, {view.unchanged:,} as before.")
    if view.unknown:
        click.echo(f"Nobody is called {', '.join(view.unknown[:10])}.")


_names = click.argument("customers", nargs=-1)
_from_file = click.option(
    "--file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="A file with an id on each line.",
)


@command.command("add")
@click.argument("name")
@_names
@_from_file
@shop_option
@json_option
@guarded
def add(
    name: str,
    customers: tuple[str, ...],
    file: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Put CUSTOMERS on the list NAME."""
    _change(name, customers, file, folder, as_json, add=True)


@command.command("remove")
@click.argument("name")
@_names
@_from_file
@shop_option
@json_option
@guarded
def remove(
    name: str,
    customers: tuple[str, ...],
    file: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Take CUSTOMERS off the list NAME."""
    _change(name, customers, file, folder, as_json, add=False)


@command.command("delete")
@click.argument("name")
@shop_option
@json_option
@guarded
def delete(name: str, folder: Path | None, as_json: bool) -> None:
    """Remove the list NAME and everybody on it."""
    with open_shop(folder) as shop:
        shop.lists.delete(name, actor="cli")
        view = shop.lists.list()
    if as_json:
        print_json(view)
    else:
        click.echo(f"{name} is deleted.")
