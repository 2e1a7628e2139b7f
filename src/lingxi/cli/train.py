"""``lingxi train``: learn from the shop's events."""

from pathlib import Path

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.steps import long_step


@click.command("train")
@shop_option
@json_option
@guarded
def command(folder: Path | None, as_json: bool) -> None:
    """Fit the recommenders, the lifecycle and the churn models, and score every customer."""
    from lingxi.app import jobs

    steps = {}
    with open_shop(folder) as shop:
        for job in jobs.TRAINING:
            with long_step(job.title, quiet=as_json) as step:
                step.summary = job.run(shop, step.progress)
            steps[job.title] = step.summary
        if as_json:
            print_json({"steps": steps, "versions": shop.answers.models().versions})
