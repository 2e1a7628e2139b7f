"""``lingxi explain``: everything known of one customer, with reasons."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lingxi.cli.frame import guarded, json_option, open_shop, print_json, shop_option
from lingxi.cli.items import print_items

if TYPE_CHECKING:
    from lingxi.app.views import CustomerView
    from lingxi.i18n import Translator


@click.command("explain")
@click.argument("customer")
@shop_option
@json_option
@guarded
def command(customer: str, folder: Path | None, as_json: bool) -> None:
    """Stage, scores, reasons, recommendations and planned action of CUSTOMER."""
    from lingxi.errors import NotTrained
    from lingxi.i18n import Translator

    with open_shop(folder) as shop:
        view = shop.answers.customer(customer)
        try:
            offered = shop.answers.recommendations(customer, n=5)
        except NotTrained:
            offered = None
        words = Translator("en", shop.settings.zone, shop.settings.shop.currency)
    if as_json:
        print_json({"customer": view, "recommendations": offered})
        return
    _print_customer(view, words)
    if offered is None:
        click.echo("Recommended: nothing, there is no recommender")
        return
    click.echo(f"Recommended, by {offered.model}:")
    print_items(offered.items, view.currency)


def _print_customer(view: "CustomerView", words: "Translator") -> None:
    click.echo(f"Customer {view.customer_id}, as of {words.time(view.as_of)}")
    click.echo(f"Stage: {words.text(f'stage.{view.stage}')}. {words.text(view.stage_reason)}")
    if view.recency_score is not None:
        click.echo(
            f"RFM: {view.recency_score}-{view.frequency_score}-{view.monetary_score}, "
            f"{words.text(f'segment.{view.segment}')}"
        )
    click.echo(f"Orders: {view.orders}, spent {words.money(view.revenue_cents)}")
    if view.value_cents is not None:
        click.echo(f"Expected over the next year: {words.money(view.value_cents)}")
    if view.churn is not None:
        click.echo(
            f"Risk of no order in {view.churn.horizon_days} days: "
            f"{words.percent(view.churn.probability)} "
            f"({words.text(f'churn.level.{view.churn.level}')}), by {view.churn.model}; "
            f"beside it RFM sum {view.churn.rfm_sum} of 15, "
            f"last order {int(view.churn.recency_days)} days ago"
        )
        for reason in view.churn.reasons:
            click.echo(f"  {reason.contribution:+.2f}  {words.text(reason.sentence)}")
    if view.action is not None:
        offer = view.action.offer_title.get("en") or words.text("offer.none")
        click.echo(
            f"Next: {words.text(f'action.{view.action.action}')} ({offer}), rule "
            f"{view.action.rule}. {words.text(view.action.reason)}"
        )
