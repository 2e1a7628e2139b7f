"""``lingxi train``: learn from the shop's events."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step
from lingxi.errors import InvalidInput
from lingxi.i18n import Translator

if TYPE_CHECKING:
    from lingxi.app.jobs import Job
    from lingxi.app.shop import Shop


@click.command("train")
@click.option("--if-due", is_flag=True, help="Only if the models are old or have become worse.")
@click.option("--renew", is_flag=True, help="Only put new events into the recommender in use.")
@shop_option
@json_option
@guarded
def command(if_due: bool, renew: bool, folder: Path | None, as_json: bool) -> None:
    """Fit the recommenders, the lifecycle and the churn models, and score every customer."""
    from lingxi.app import jobs, refit

    if if_due and renew:
        raise InvalidInput("--if-due says itself whether to renew; give one of the two.")
    with open_shop(folder) as shop:
        if not if_due:
            with refit.training(shop):
                _train(shop, jobs.RENEWAL if renew else jobs.TRAINING, as_json)
            return
        with refit.training(shop) as free:
            found = refit.look(shop, shop.clock.now())
            why = Translator("en", shop.settings.zone).text(found.reason)
            if not free or not (found.due or found.renew):
                said = why if free else "Another process is training."
                told = {"due": found.due, "renew": found.renew, "why": said}
                print_json(told) if as_json else click.echo(said)
                return
            if not as_json:
                click.echo(why)
            refit.note_try(shop, shop.clock.now())
            _train(shop, jobs.TRAINING if found.due else jobs.RENEWAL, as_json)
            refit.look(shop, shop.clock.now())


def _train(shop: "Shop", steps: "tuple[Job, ...]", as_json: bool) -> None:
    done = {}
    for job in steps:
        with long_step(job.title, quiet=as_json) as step:
            step.summary = job.run(shop, step.progress)
        done[job.title] = step.summary
    if as_json:
        print_json({"steps": done, "versions": shop.answers.models().versions})
