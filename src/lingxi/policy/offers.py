"""Which of the shop's offers suits a customer on an occasion, and what it costs when taken up."""

from dataclasses import replace

from lingxi.coupons.discount import cost_of
from lingxi.coupons.offer import Occasion, Offer
from lingxi.coupons.openness import OpenOffer
from lingxi.policy.candidate import NO_OFFER, Candidate, ShopFacts


def choose_offer(occasion: Occasion, customer: Candidate, shop: ShopFacts) -> str:
    """The name of the cheapest open offer that is meant for the occasion and for this customer.

    What an offer brings is known only from a comparison with customers who did not get it, so the
    plan gives no more away than it must.
    """
    fitting = [
        (offer_cost(each.offer, customer.order_cents, shop.delivery_cents), each.offer.name)
        for each in shop.offers
        if occasion in each.offer.plan.occasions and _fits(each, customer, shop)
    ]
    return min(fitting)[1] if fitting else NO_OFFER


def _fits(each: OpenOffer, customer: Candidate, shop: ShopFacts) -> bool:
    offer, conditions = each.offer, each.offer.conditions
    cost = offer_cost(offer, customer.order_cents, shop.delivery_cents)
    return (
        offer.name not in customer.used_offers
        and not (conditions.first_order and customer.orders)
        and (not conditions.segment or conditions.segment in customer.segments)
        and (each.budget_cents is None or cost <= each.budget_cents)
        and _keeps_margin(offer, cost, customer)
    )


def _keeps_margin(offer: Offer, cost: int, customer: Candidate) -> bool:
    floor = offer.plan.margin_floor
    if floor is None:
        return True
    if customer.margin_share is None:
        return False
    order = customer.order_cents
    return customer.margin_share * order - cost >= floor / 100 * order


def offer_cost(offer: Offer | None, order_cents: int, delivery_cents: int) -> int:
    """Cost in minor units of one redeemed offer on an order of ``order_cents``; nothing costs 0.

    ``delivery_cents`` is what one delivery costs the shop.

    >>> from lingxi.coupons.offer import Percent
    >>> offer_cost(Offer(name="ten", benefit=Percent(percent=10)), 5000, 395)
    500
    """
    return 0 if offer is None else cost_of(offer.benefit, order_cents, delivery_cents)


def expected_value(
    churn_probability: float | None, order_cents: int, cost_cents: int
) -> int | None:
    """Expected revenue of the customer's next order within the horizon, less the offer, in cents.

    (1 - P(no order)) x (expected order value - offer cost). It is what the customer is expected to
    bring, not what the action adds: that is known only from a holdout. Without a churn score the
    chance of an order, and so the value, cannot be known: ``None``.

    >>> expected_value(0.25, 5000, 500)
    3375
    """
    if churn_probability is None:
        return None
    return round((1 - churn_probability) * (order_cents - cost_cents))


def take_one(shop: ShopFacts, name: str, cost_cents: int) -> ShopFacts:
    """The shop after one customer was given an offer: less of it is left, or it is closed."""
    offers = []
    for each in shop.offers:
        if each.offer.name == name:
            left = None if each.left is None else each.left - 1
            budget = None if each.budget_cents is None else each.budget_cents - cost_cents
            each = OpenOffer(each.offer, left, budget)
        if each.left != 0:
            offers.append(each)
    return replace(shop, offers=tuple(offers))
