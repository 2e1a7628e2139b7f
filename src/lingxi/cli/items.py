"""How a list of recommended items is printed."""

from collections.abc import Sequence

import click

from lingxi.app.views import RecommendedItem
from lingxi.i18n import Translator


def print_items(
    items: Sequence[RecommendedItem], currency: str, *, lead: str = "because you bought"
) -> None:
    """One line per item, with its reason under it, introduced by ``lead``."""
    words = Translator("en", currency=currency)
    if not items:
        click.echo("  nothing to recommend")
    for rank, item in enumerate(items, start=1):
        price = "" if item.price_cents is None else f"  {words.money(item.price_cents)}"
        click.echo(f"{rank:3d}. {item.item_id}  {item.name}{price}")
        if item.because:
            parts = " and ".join(
                f"{cause.name or cause.item_id} ({cause.share:.0%})" for cause in item.because
            )
            click.echo(f"     {lead} {parts}")
