"""Second order: bought on one day so far, and the time for another order has come."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import NO_OFFER, Candidate, Proposal, ShopFacts
from lingxi.policy.offers import choose_offer
from lingxi.policy.rules.leave_alone import leave

SETTLE_DAYS = 7
"""The first parcel should have arrived before the next thing is suggested."""


def propose(customer: Candidate, shop: ShopFacts) -> Proposal | None:
    """Suggest what fits the first order; a discount only where leaving is likely."""
    if customer.orders < 1 or customer.stage != "new" or customer.recency_days is None:
        return None
    days = int(customer.recency_days)
    if customer.recency_days < SETTLE_DAYS:
        return leave("policy.reason.first_parcel", n=days)
    risky = customer.churn_level == "high"
    offer = choose_offer("second_order", customer, shop) if risky else NO_OFFER
    return Proposal(
        "second_order",
        offer,
        "email",
        Sentence("policy.reason.second_order", {"n": days}),
        customer.item_ids,
    )
