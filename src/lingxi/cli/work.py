"""``lingxi work``: do the shop's standing work."""

import signal
from pathlib import Path
from threading import Event

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option


@click.command("work")
@click.option("--task", "names", multiple=True, help="Only this task; may be given again.")
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@click.option("--list", "listed", is_flag=True, help="List the tasks, and do nothing.")
@shop_option
@json_option
@guarded
def command(
    names: tuple[str, ...], once: bool, listed: bool, folder: Path | None, as_json: bool
) -> None:
    """Do the shop's standing work until stopped: segments, journeys, sending.

    ``lingxi serve`` starts such workers beside itself (setting work.processes). More of them, also
    on other machines over the same PostgreSQL, do each thing once.
    """
    from lingxi.app.runs.jobs import let_go
    from lingxi.app.tasks import TASKS
    from lingxi.app.work import choose_tasks, work, work_off

    tasks = choose_tasks(TASKS, names)
    if listed:
        if as_json:
            print_json([{"name": t.name, "every_seconds": t.every_seconds} for t in tasks])
        else:
            for task in tasks:
                click.echo(task.name)
        return
    with open_shop(folder) as shop:
        if once:
            worked = work_off(shop, tasks)
            if as_json:
                print_json(worked)
            else:
                for name, done in worked.done.items():
                    kinds = worked.kinds.get(name, {})
                    told = ", ".join(f"{n:,} {kind}" for kind, n in kinds.items() if n)
                    click.echo(f"{name}: {done:,}" + (f" ({told})" if told else ""))
            return
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        click.echo("Working.")
        work(shop, tasks, stop)
        let_go(shop)
