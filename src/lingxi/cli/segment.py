"""``lingxi segment``: who fulfils a rule."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

if TYPE_CHECKING:
    from lingxi.segments.judge import Verdict

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("segment", invoke_without_command=True)
@shop_option
@json_option
@click.pass_context
@guarded
def command(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Segments: all of them, or what a subcommand does. Rules are described in docs/segments.md."""
    if ctx.invoked_subcommand is None:
        _list(folder, as_json)


@command.command("list")
@shop_option
@json_option
@guarded
def list_command(folder: Path | None, as_json: bool) -> None:
    """All segments with their members."""
    _list(folder, as_json)


def _list(folder: Path | None, as_json: bool) -> None:
    with open_shop(folder) as shop:
        view = shop.segments.list()
    if as_json:
        print_json(view)
        return
    rows = [
        [s.name, s.title, f"{s.members:,}", str(s.version), "yes" if s.current else "not yet"]
        for s in view.segments
    ]
    print_table(["segment", "title", "members", "version", "current"], rows, frozenset({2, 3}))


@command.command("put")
@click.argument("file", type=_file)
@shop_option
@json_option
@guarded
def put(file: Path, folder: Path | None, as_json: bool) -> None:
    """Keep the segment that FILE (YAML or JSON) says, and find its members."""
    from lingxi.forms import parse_form
    from lingxi.segments import read_segment

    given = read_segment(parse_form(file.read_text(encoding="utf-8"), file.name), file.name)
    with open_shop(folder) as shop:
        view = shop.segments.put(given, actor="cli", now=True)
    if as_json:
        print_json(view)
    else:
        row = view.segment
        click.echo(f"{row.name}: version {row.version}, {row.members:,} of {view.customers:,}.")


@command.command("count")
@click.argument("file", type=_file)
@shop_option
@json_option
@guarded
def count(file: Path, folder: Path | None, as_json: bool) -> None:
    """How many fulfil the rule in FILE, or that of the segment in it; nothing is kept."""
    from lingxi.forms import parse_form
    from lingxi.segments import read_rule

    given = parse_form(file.read_text(encoding="utf-8"), file.name)
    if isinstance(given, dict) and "rule" in given:
        given = given["rule"]
    with open_shop(folder) as shop:
        view = shop.segments.count(read_rule(given))
    if as_json:
        print_json(view)
    else:
        share = view.count / view.customers if view.customers else 0.0
        click.echo(f"{view.count:,} of {view.customers:,} customers ({share:.1%}).")


@command.command("members")
@click.argument("name")
@click.option("--n", default=50, show_default=True, help="How many to show.")
@click.option("--cursor", default=None, help="next_cursor of the page before.")
@shop_option
@json_option
@guarded
def members(name: str, n: int, cursor: str | None, folder: Path | None, as_json: bool) -> None:
    """Who is in the segment NAME, and since when."""
    with open_shop(folder) as shop:
        view = shop.segments.members(name, cursor=cursor, n=n)
    if as_json:
        print_json(view)
        return
    rows = [[row.customer_id, row.since.isoformat(timespec="seconds")] for row in view.members]
    print_table(["customer", "since"], rows, frozenset())
    click.echo(f"{len(rows):,} of {view.total:,} members.")
    if view.next_cursor:
        click.echo(f"More: --cursor {view.next_cursor}")


@command.command("overlap")
@click.argument("names", nargs=-1, required=True)
@shop_option
@json_option
@guarded
def overlap(names: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """How many customers each two of the segments NAMES share."""
    with open_shop(folder) as shop:
        view = shop.segments.overlap(names)
    if as_json:
        print_json(view)
        return
    rows = [[p.one, p.other, f"{p.both:,}", f"{p.share:.1%}"] for p in view.pairs]
    print_table(["segment", "and", "both", "of the smaller"], rows, frozenset({2, 3}))


@command.command("growth")
@click.argument("name")
@click.option("--days", default=30, show_default=True, help="How many days, with today.")
@shop_option
@json_option
@guarded
def growth(name: str, days: int, folder: Path | None, as_json: bool) -> None:
    """Who entered and left the segment NAME, day by day."""
    with open_shop(folder) as shop:
        view = shop.segments.growth(name, days=days)
    if as_json:
        print_json(view)
        return
    rows = [[d.day, f"{d.entered:,}", f"{d.left:,}", f"{d.members:,}"] for d in view.days]
    print_table(["day", "entered", "left", "members"], rows, frozenset({1, 2, 3}))


@command.command("explain")
@click.argument("name")
@click.argument("customer")
@shop_option
@json_option
@guarded
def explain(name: str, customer: str, folder: Path | None, as_json: bool) -> None:
    """Why CUSTOMER is in the segment NAME, or is not: each condition of its rule."""
    with open_shop(folder) as shop:
        view = shop.segments.explain(name, customer)
    if as_json:
        print_json(view)
        return
    click.echo(f"{view.customer_id} is {'in' if view.holds else 'not in'} {view.name}.")
    _print_verdict(view.verdict, 0)


def _print_verdict(verdict: "Verdict", depth: int) -> None:
    import msgspec

    kind = next(iter(verdict.rule))
    words = kind if verdict.parts else msgspec.json.encode(verdict.rule).decode()
    click.echo(f"{'  ' * depth}{'yes' if verdict.holds else 'no ':3}  {words}")
    for part in verdict.parts:
        _print_verdict(part, depth + 1)


@command.command("delete")
@click.argument("name")
@shop_option
@json_option
@guarded
def delete(name: str, folder: Path | None, as_json: bool) -> None:
    """Remove the segment NAME, unless another one names it."""
    with open_shop(folder) as shop:
        shop.segments.delete(name, actor="cli")
        view = shop.segments.list()
    if as_json:
        print_json(view)
    else:
        click.echo(f"{name} is deleted.")
