"""The placements that every shop has until it says otherwise."""

from lingxi.recommend.placements.definition import (
    Diversity,
    Exploration,
    Filters,
    Placement,
    Placements,
    Strategy,
)
from lingxi.recommend.promotions import KINDS
from lingxi.recommend.rerank import Method

_VARIED = Diversity(method=Method.MMR, strength=0.2, most_per_category=4)

DEFAULTS: Placements = {
    "home": Placement(
        strategy=Strategy.PERSONAL,
        fallbacks=(Strategy.POPULAR, Strategy.NEW),
        n=12,
        diversity=_VARIED,
    ),
    "product_similar": Placement(
        strategy=Strategy.SIMILAR, fallbacks=(Strategy.POPULAR_HERE, Strategy.POPULAR), n=8
    ),
    "product_complementary": Placement(
        strategy=Strategy.COMPLEMENTARY, fallbacks=(Strategy.TOGETHER, Strategy.PERSONAL), n=6
    ),
    "product_together": Placement(
        strategy=Strategy.TOGETHER, fallbacks=(Strategy.COMPLEMENTARY, Strategy.SIMILAR), n=4
    ),
    "cart": Placement(
        strategy=Strategy.TOGETHER,
        fallbacks=(Strategy.COMPLEMENTARY, Strategy.PERSONAL, Strategy.POPULAR),
        n=6,
        diversity=Diversity(most_per_category=2),
    ),
    "after_purchase": Placement(
        strategy=Strategy.COMPLEMENTARY,
        fallbacks=(Strategy.TOGETHER, Strategy.PERSONAL, Strategy.POPULAR),
        n=6,
    ),
    "email": Placement(
        strategy=Strategy.PERSONAL, fallbacks=(Strategy.POPULAR,), n=6, diversity=_VARIED
    ),
    "category": Placement(
        strategy=Strategy.PERSONAL, fallbacks=(Strategy.POPULAR_HERE, Strategy.NEW), n=24
    ),
    "search": Placement(
        strategy=Strategy.QUERY,
        fallbacks=(),
        n=48,
        filters=Filters(hide_bought=False, hide_in_cart=False, kinds=("product", *KINDS)),
    ),
    "offers": Placement(
        strategy=Strategy.PROMOTED,
        fallbacks=(Strategy.PERSONAL, Strategy.TASTE, Strategy.POPULAR, Strategy.NEW),
        n=4,
        exploration=Exploration(share=0.1, first_position=2, pool=10),
        filters=Filters(kinds=KINDS, with_price=False, hide_bought=False),
    ),
}
"""By name. ``search`` lists only what it is given; others keep to a category where one is asked."""
