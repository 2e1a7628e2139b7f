"""``lingxi calendar``: what is going to be sent, and what was."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

if TYPE_CHECKING:
    from lingxi.journeys.planned import Calendar, Day, Planned

_HEAD = ["day", "time", "journey", "what", "customers", "sent", "not sent", "waiting"]
_NUMBERS = frozenset({4, 5, 6, 7})
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("calendar")
@click.option("--from", "first", type=_DAY, help="The first day; today if left out.")
@click.option("--to", "last", type=_DAY, help="The last day; 30 days after the first if left out.")
@shop_option
@json_option
@guarded
def command(
    first: datetime | None, last: datetime | None, folder: Path | None, as_json: bool
) -> None:
    """Campaigns and dates that begin journeys, and the messages of each day, in the shop's zone."""
    from lingxi.app.runs.calendar import show_calendar

    with open_shop(folder) as shop:
        view = show_calendar(shop, first.date() if first else None, last.date() if last else None)
    if as_json:
        print_json(view)
        return
    rows = [row for day in view.days for row in _list_rows(view, day)]
    if rows:
        print_table(_HEAD, rows, _NUMBERS)
    else:
        click.echo(f"Nothing is planned and nothing was sent from {view.first} to {view.last}.")
    for each in view.standing:
        click.echo(f"Any day at {each.time}, each customer's own time: {each.journey}.")
    click.echo(f"Times are of {view.timezone}. Quiet hours: {view.quiet_hours or 'none'}.")


def _list_rows(view: "Calendar", day: "Day") -> Iterator[list[str]]:
    name = f"{day.day}"
    if day.holiday:
        yield [name, "", "", "holiday: nobody is disturbed", "", "", "", ""]
    if day.hours != 24:
        yield [name, "", "", f"the clocks change: {day.hours:g} hours", "", "", "", ""]
    for plan in day.planned:
        at = f"{plan.at.astimezone(ZoneInfo(view.timezone)):%H:%M}"
        came = plan.customers if plan.came_in is None else plan.came_in
        time = f"{at} own" if plan.local else at
        number = "" if came is None else f"{came:,}"
        yield [name, time, plan.journey, _tell(plan), number, "", "", ""]
    for sent in day.sent:
        kept = sent.skipped + sent.failed + sent.unknown
        numbers = [f"{n:,}" if n else "" for n in (sent.accepted, kept, sent.waiting)]
        yield [name, "", sent.journey or "(single messages)", "messages", "", *numbers]


def _tell(plan: "Planned") -> str:
    if plan.missed:
        return "missed: nobody worked"
    what = "campaign" if plan.campaign else "begins"
    if plan.came_in is not None:
        return f"{what}, all in" if plan.finished else f"{what}, coming in"
    return what if plan.state == "live" else f"{what} ({plan.state})"
