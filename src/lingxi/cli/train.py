"""``lingxi train``: learn from the shop's events."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step
from lingxi.i18n import Translator

if TYPE_CHECKING:
    from lingxi.app.shop import Shop


@click.command("train")
@click.option("--if-due", is_flag=True, help="Only if the models are old or have become worse.")
@shop_option
@json_option
@guarded
def command(if_due: bool, folder: Path | None, as_json: bool) -> None:
    """Fit the recommenders, the lifecycle and the churn models, and score every customer."""
    from lingxi.app import refit

    with open_shop(folder) as shop:
        if not if_due:
            with refit.training(shop):
                _train(shop, as_json)
            return
        with refit.training(shop) as free:
            found = refit.look(shop, shop.clock.now())
            why = Translator("en", shop.settings.zone).text(found.reason)
            if not free or not found.due:
                said = why if free else "Another process is training."
                print_json({"due": found.due, "why": said}) if as_json else click.echo(said)
                return
            if not as_json:
                click.echo(why)
            refit.note_try(shop, shop.clock.now())
            _train(shop, as_json)
            refit.look(shop, shop.clock.now())


def _train(shop: "Shop", as_json: bool) -> None:
    from lingxi.app import jobs

    steps = {}
    for job in jobs.TRAINING:
        with long_step(job.title, quiet=as_json) as step:
            step.summary = job.run(shop, step.progress)
        steps[job.title] = step.summary
    if as_json:
        print_json({"steps": steps, "versions": shop.answers.models().versions})
