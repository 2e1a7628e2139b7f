"""Features of what a customer likes: items, categories, prices, place."""

from collections.abc import Iterator

import ibis

from lingxi.features.feature import Feature, Grain, divide
from lingxi.features.grains import WINDOWS


def _entropy(t: ibis.Table) -> ibis.Value:
    """Shannon entropy of the shares, in nats: 0 for one category, ln k for k equal ones."""
    entropy: ibis.Value = 0.0 - (t.share * t.share.ln()).sum()
    return entropy


def _count_items(window: int) -> Feature:
    return Feature(
        f"items_{WINDOWS[window]}d",
        "count",
        Grain.ITEMS,
        lambda t: t.count(where=t["window"] <= window),
        0,
    )


def _list_items() -> Iterator[Feature]:
    lines = Grain.LINES
    yield Feature(
        "first_item",
        "text",
        lines,
        lambda t: t.item_id.max(where=t.is_first & (t.line == 0)),
    )
    yield Feature(
        "last_item",
        "text",
        lines,
        lambda t: t.item_id.max(where=t.is_last & (t.line == 0)),
    )
    yield Feature("units", "count", lines, lambda t: t.quantity.sum(), 0)
    yield Feature("order_lines", "count", lines, lambda t: t.count(), 0)
    yield Feature("items", "count", Grain.ITEMS, lambda t: t.count(), 0)
    for index in range(len(WINDOWS)):
        yield _count_items(index)
    yield Feature(
        "repeat_item_share",
        "share",
        Grain.ITEMS,
        lambda t: t.count(where=t.orders > 1) / t.count(),
    )
    for name, above in (("basket_units", "units"), ("basket_lines", "order_lines")):
        mean = divide(above, "frequency")
        yield Feature(name, "ratio", Grain.CUSTOMER, mean, needs=(above, "frequency"))


def _list_prices() -> Iterator[Feature]:
    lines = Grain.LINES
    yield Feature(
        "price_mean_cents",
        "cents",
        lines,
        lambda t: t.price_cents.sum() / t.price_cents.count().nullif(0),
    )
    yield Feature("price_median_cents", "cents", lines, lambda t: t.price_cents.median())
    yield Feature("price_percentile", "share", Grain.PRICES, lambda t: t.percentile.max())


def _list_categories() -> Iterator[Feature]:
    for prefix, grain in (
        ("category", Grain.BOUGHT_CATEGORIES),
        ("viewed_category", Grain.VIEWED_CATEGORIES),
    ):
        yield Feature(
            f"{prefix}_top", "text", grain, lambda t: t.category.max(where=t["rank"] == 0)
        )
        yield Feature(
            f"{prefix}_top_share", "share", grain, lambda t: t.share.max(where=t["rank"] == 0)
        )
        yield Feature(f"{prefix}_entropy", "nats", grain, _entropy)
        yield Feature(f"{prefix}_count", "count", grain, lambda t: t.count())


def list_taste() -> Iterator[Feature]:
    """All features of taste, in the order of the documentation."""
    yield from _list_items()
    yield from _list_prices()
    yield from _list_categories()
    yield Feature("country", "text", Grain.COUNTRIES, lambda t: t.country.max())
