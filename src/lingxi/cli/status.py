"""``lingxi status``: where the shop stands."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option


@click.command("status")
@shop_option
@json_option
@guarded
def command(folder: Path | None, as_json: bool) -> None:
    """Events, customers, models in use, and what lags behind the log by how much."""
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.status()
        words = Translator("en", shop.settings.zone, shop.settings.shop.currency)
    if as_json:
        print_json(view)
        return
    click.echo(f"{view.shop}, Lingxi {view.version}, on {view.engine}")
    click.echo(f"{view.events:,} events, {view.customers:,} customers, {view.items:,} items")
    if view.data_from is not None and view.data_to is not None:
        click.echo(f"Events from {words.time(view.data_from)} to {words.time(view.data_to)}")
    click.echo(f"In quarantine: {view.quarantined:,}. On disk: {view.disk_bytes / 1e6:,.1f} MB")
    rows = [
        [lag.name, f"{lag.behind:,}", "-" if lag.updated_at is None else words.time(lag.updated_at)]
        for lag in view.lags
    ]
    print_table(["what", "events behind", "updated"], rows, frozenset({1}))
    for kind, version in view.models.items():
        mapped = view.mapped_bytes.get(kind, 0)
        size = f", {mapped / 1e6:,.1f} MB shared by all processes" if mapped else ""
        click.echo(f"Model {kind}: {version}{size}")
    if view.refit is not None:
        click.echo(f"Refit: {words.text(view.refit.reason)}")
    plan = "none yet; run: lingxi plan" if view.plan_as_of is None else words.time(view.plan_as_of)
    click.echo(f"Plan: {plan}")
