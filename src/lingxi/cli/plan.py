"""``lingxi plan``: write the marketing plan, or show it."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option
from lingxi.cli.steps import long_step


@click.command("plan")
@click.option("--show", is_flag=True, help="Show the stored plan without making a new one.")
@click.option("--action", default="", help="Show only one action: win_back, cross_sell, ...")
@click.option("-n", "n", default=10, show_default=True, help="How many lines to show.")
@shop_option
@json_option
@guarded
def command(show: bool, action: str, n: int, folder: Path | None, as_json: bool) -> None:
    """Decide for every customer what to do next, and write it as Parquet, CSV and JSON."""
    from lingxi.app import jobs
    from lingxi.app.cursors import check_size
    from lingxi.errors import InvalidInput
    from lingxi.i18n import Translator

    check_size(n)
    with open_shop(folder) as shop:
        files: tuple[Path, ...] = ()
        if not show:
            with long_step("Plan", quiet=as_json) as step:
                made = jobs.make_plan(shop, step.progress)
                files = made.files
                step.summary = made.summary
        view = shop.answers.plan(action=action, n=n)
        if action and action not in view.by_action:
            held = ", ".join(sorted(view.by_action))
            raise InvalidInput(f"The plan has no action {action!r}; it has {held}.")
        if as_json:
            print_json(view)
            return
        words = Translator("en", currency=shop.settings.shop.currency)
    totals = [
        [
            words.text(f"action.{name}"),
            f"{count:,}",
            words.money(view.expected_by_action[name]) if name in view.expected_by_action else "-",
        ]
        for name, count in sorted(view.by_action.items(), key=lambda pair: -pair[1])
    ]
    print_table(["action", "customers", "expected"], totals, frozenset({1, 2}))
    click.echo("")
    for row in view.rows:
        offer = f" [{row.offer_title['en']}]" if row.offer_title else ""
        value = row.expected_value_cents
        worth = "" if value is None else f", {words.money(value)}"
        click.echo(
            f"{row.customer_id}: {words.text(f'action.{row.action}')}{offer}{worth}. "
            f"{words.text(row.reason)}"
        )
    for path in files:
        click.echo(f"Written: {path}")
