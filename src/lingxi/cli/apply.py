"""``lingxi apply``: definitions from a folder of files, with the changes shown first."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option

if TYPE_CHECKING:
    from lingxi.app.definitions.plan import Plan


@click.command("apply")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change, and stop.")
@click.option("--delete", is_flag=True, help="Also delete what the shop has and DIRECTORY not.")
@shop_option
@json_option
@guarded
def command(
    directory: Path,
    yes: bool,
    plan_only: bool,
    delete: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Make the shop's segments, offers, templates, journeys and placements as DIRECTORY has them.

    Shows the plan and asks first; all of it is done or nothing. With --plan nothing is changed,
    and the exit status is 3 where something would be.
    """
    from lingxi.app.definitions.apply import apply_folder, plan_folder

    with open_shop(folder) as shop:
        plan = plan_folder(shop, directory, delete=delete)
        if not as_json:
            _print_plan(plan)
        applied = bool(plan.changes) and not plan_only
        if applied and not yes:
            applied = not as_json and click.confirm("Apply these changes?")
        if applied:
            apply_folder(shop, directory, actor="cli", delete=delete, expected=plan)
    if as_json:
        print_json({"applied": applied, "plan": plan})
    elif applied:
        click.echo(f"Applied: {_count(plan)}.")
    if plan.changes and not applied:
        raise click.exceptions.Exit(3)


def _print_plan(plan: "Plan") -> None:
    for change in plan.changes:
        click.echo(f"{change.deed.value} {change.kind}/{change.name}")
        for line in change.diff.splitlines():
            click.echo(f"    {line}")
    for name in plan.left:
        click.echo(f"stays  {name} (not in the files; --delete would delete it)")
    click.echo(f"{_count(plan)}; {plan.same} already as in the files.")


def _count(plan: "Plan") -> str:
    from collections import Counter

    counts = Counter(change.deed.value for change in plan.changes)
    return ", ".join(f"{counts[deed]} to {deed}" for deed in ("create", "change", "delete"))
