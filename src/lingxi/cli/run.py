"""``lingxi run``: runs of journeys, what each did and why; beginning and ending them by hand."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, print_table, shop_option

if TYPE_CHECKING:
    from lingxi.app.runs.views import RunRow

_ACTOR = "cli"


@click.group("run")
def command() -> None:
    """Runs of journeys: customers on their way."""


@command.command("list")
@click.option("--journey", help="Only of this journey.")
@click.option("--customer", help="Only of this customer, by the shop's own id.")
@click.option("--state", help="Only these: ready, waiting, ended or held_out.")
@click.option("-n", "n", default=20, show_default=True, type=click.IntRange(1, 500))
@shop_option
@json_option
@guarded
def list_command(
    journey: str | None,
    customer: str | None,
    state: str | None,
    n: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """The latest runs, newest first."""
    from lingxi.app.runs.desk import RunDesk

    with open_shop(folder) as shop:
        view = RunDesk(shop).list(journey=journey, customer_id=customer, state=state, n=n)
    if as_json:
        print_json(view)
        return
    head = ["run", "journey", "customer", "key", "state", "step", "started", "due or ended"]
    print_table(head, [_to_cells(row) for row in view.runs], frozenset({0}))


def _to_cells(row: "RunRow") -> list[str]:
    moment = row.ended_at or row.due_at
    return [
        str(row.id),
        f"{row.journey} v{row.version}",
        row.customer_id,
        row.key,
        row.outcome or row.state,
        row.step,
        f"{row.started_at:%Y-%m-%d %H:%M}",
        f"{moment:%Y-%m-%d %H:%M}" if moment else "",
    ]


@command.command("show")
@click.argument("number", type=click.IntRange(1))
@shop_option
@json_option
@guarded
def show(number: int, folder: Path | None, as_json: bool) -> None:
    """Run NUMBER: every step, and why it did what it did."""
    from lingxi.app.runs.desk import RunDesk
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = RunDesk(shop).get(number)
        words = Translator(shop.settings.shop.language, shop.settings.zone, "")
    if as_json:
        print_json(view)
        return
    print_table(["run", "journey", "customer", "key", "state", "step", "started", "due or ended"],
                [_to_cells(view.run)], frozenset({0}))  # fmt: skip
    click.echo("")
    for step in view.steps:
        told = (
            f"  [{step.message_state}{f': {step.message_reason}' if step.message_reason else ''}]"
        )
        state = told if step.message_state else ""
        click.echo(f"{step.at:%Y-%m-%d %H:%M:%S}  {step.step}: {words.text(step.why)}{state}")


@command.command("counts")
@click.argument("journey")
@click.option("--version", type=int, help="Of this version; of the published one if not given.")
@shop_option
@json_option
@guarded
def counts(journey: str, version: int | None, folder: Path | None, as_json: bool) -> None:
    """JOURNEY in numbers: who is at each step now, and by which ways they left it."""
    from lingxi.app.runs.desk import RunDesk

    with open_shop(folder) as shop:
        view = RunDesk(shop).count(journey, version)
    if as_json:
        print_json(view)
        return
    click.echo(
        f"{view.journey} v{view.version}: {view.started:,} begun, {view.held_out:,} held out"
    )
    rows = [
        [row.step, f"{row.here:,}", ", ".join(f"{way} {n:,}" for way, n in row.left.items())]
        for row in view.steps
    ]
    print_table(["step", "here", "left by"], rows, frozenset({1}))


@command.command("trigger")
@click.argument("journey")
@click.argument("customer")
@click.option("--key", default="", help="What the run is of, such as an order's id.")
@shop_option
@json_option
@guarded
def trigger(journey: str, customer: str, key: str, folder: Path | None, as_json: bool) -> None:
    """Begin JOURNEY, whose trigger is 'api', for CUSTOMER."""
    from lingxi.app.runs.desk import RunDesk

    with open_shop(folder) as shop:
        view = RunDesk(shop).trigger(journey, customer, key=key, actor=_ACTOR)
    if as_json:
        print_json(view)
    elif view.begun:
        click.echo(f"{journey} begins for {customer}.")
    else:
        click.echo(f"{journey} does not begin for {customer}: its entry rule or re-entry says no.")


@command.command("stop")
@click.argument("journey")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shop_option
@json_option
@guarded
def stop(journey: str, yes: bool, folder: Path | None, as_json: bool) -> None:
    """End every run of JOURNEY that is on its way; what is not sent yet stays unsent."""
    from lingxi.app.runs.desk import RunDesk

    if not yes:
        click.confirm(f"End all runs of {journey}?", abort=True, err=True)
    with open_shop(folder) as shop:
        ended = RunDesk(shop).stop(journey, actor=_ACTOR)
    if as_json:
        print_json({"journey": journey, "stopped": ended})
    else:
        click.echo(f"{ended:,} runs ended.")
