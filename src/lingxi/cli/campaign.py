"""``lingxi campaign``: one message to an audience at a moment."""

from pathlib import Path

import click

from lingxi.cli.frame import (
    guarded,
    json_option,
    open_shop,
    print_json,
    print_table,
    read_file,
    shop_option,
)


@click.group("campaign")
def command() -> None:
    """Campaigns: journeys of one message that a schedule begins."""


@command.command("list")
@shop_option
@json_option
@guarded
def list_command(folder: Path | None, as_json: bool) -> None:
    """Campaigns, the next first, and how many customers came in last."""
    from lingxi.app.runs.desk import RunDesk

    with open_shop(folder) as shop:
        view = RunDesk(shop).campaigns()
    if as_json:
        print_json(view)
        return
    rows = [
        [
            row.name,
            str(row.version),
            f"{row.next_at:%Y-%m-%d %H:%M}" if row.next_at else "",
            f"{row.last_at:%Y-%m-%d %H:%M}" if row.last_at else "",
            f"{row.entered:,}",
            "" if row.last_at is None else ("all in" if row.finished else "coming in"),
        ]
        for row in view.campaigns
    ]
    head = ["campaign", "version", "next (UTC)", "last (UTC)", "came in", "state"]
    print_table(head, rows, frozenset({1, 4}))


@command.command("send")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--at", help="When: a moment with its offset; the file's own, or now.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shop_option
@json_option
@guarded
def send(file: Path, at: str | None, yes: bool, folder: Path | None, as_json: bool) -> None:
    """Publish the campaign in FILE: its audience comes in at its moment.

    The workers of 'lingxi serve' or 'lingxi work' send it. What lint calls an error is refused.
    """
    from lingxi.app.runs.campaigns import publish_campaign, read_campaign

    with open_shop(folder) as shop:
        campaign = read_campaign(shop, read_file(file), str(file), at)
        if not yes:
            click.confirm(
                f"Send {campaign.name} to {campaign.audience:,} customers, {campaign.when}?",
                abort=True,
                err=True,
            )
        view = publish_campaign(shop, campaign, actor="cli")
    if as_json:
        print_json(view)
    else:
        click.echo(f"{view.name}: version {view.version} is published.")
