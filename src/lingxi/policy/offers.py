"""What an offer costs the shop when it is taken up."""

_PERCENT = {"percent_10": 0.10}

OFFERS = ("none", "early_access", "free_shipping", "percent_10")


def offer_cost(offer: str, order_cents: int, delivery_cents: int) -> int:
    """Cost in minor units of one redeemed offer on an order of ``order_cents``.

    ``delivery_cents`` is what one delivery costs the shop.

    >>> offer_cost("percent_10", 5000, 395), offer_cost("free_shipping", 5000, 395)
    (500, 395)
    """
    if offer == "free_shipping":
        return delivery_cents
    return round(_PERCENT.get(offer, 0.0) * order_cents)


def expected_value(
    churn_probability: float | None, order_cents: int, offer: str, delivery_cents: int
) -> int | None:
    """Expected revenue of the customer's next order within the horizon, less the offer, in cents.

    (1 - P(no order)) x (expected order value - offer cost). It is what the customer is expected to
    bring, not what the action adds: that is known only from a holdout. Without a churn score the
    chance of an order, and so the value, cannot be known: ``None``.

    >>> expected_value(0.25, 5000, "percent_10", 395)
    3375
    """
    if churn_probability is None:
        return None
    cost = offer_cost(offer, order_cents, delivery_cents)
    return round((1 - churn_probability) * (order_cents - cost))
