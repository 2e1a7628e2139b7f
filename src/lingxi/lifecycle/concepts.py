"""What churn is predicted from: features grouped by what they mean to a marketer."""

from collections.abc import Mapping
from types import MappingProxyType

CONCEPTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "recency": ("recency_days", "recency_over_gap"),
        "rhythm": ("gap_mean_days", "gap_median_days", "gap_std_days", "gap_last_days", "gap_cv"),
        "frequency": ("frequency", "orders_30d", "orders_90d", "orders_365d"),
        "money": (
            "money_cents",
            "revenue_30d_cents",
            "revenue_90d_cents",
            "revenue_365d_cents",
        ),
        "basket": ("average_order_cents", "basket_lines", "basket_units", "price_median_cents"),
        "tenure": ("first_order_days", "tenure_days"),
        "variety": ("items", "items_90d", "repeat_item_share", "category_count"),
        "returns": ("return_rate", "refunds_90d", "refunds_365d"),
        "discount": ("discount_share",),
        "visits": (
            "sessions_30d",
            "sessions_90d",
            "views_30d",
            "views_90d",
            "carts_30d",
            "carts_90d",
            "searches_90d",
        ),
    }
)
"""A feature without a concept is not used: clock times and last-seen say little about leaving, and
names of items or countries do not carry over to another shop."""

CHURN_FEATURES: tuple[str, ...] = tuple(name for names in CONCEPTS.values() for name in names)

CONCEPT_OF: Mapping[str, str] = MappingProxyType(
    {name: concept for concept, names in CONCEPTS.items() for name in names}
)
