"""Loyalty thanks: a loyal customer has just ordered again."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import Candidate, Proposal, ShopFacts
from lingxi.policy.offers import choose_offer
from lingxi.policy.rules.leave_alone import JUST_ORDERED_DAYS


def propose(customer: Candidate, shop: ShopFacts) -> Proposal | None:
    """Thank without asking for anything: no discount for who buys at full price."""
    if customer.stage != "loyal" or customer.recency_days is None:
        return None
    if customer.recency_days > JUST_ORDERED_DAYS:
        return None
    return Proposal(
        "loyalty_thanks",
        choose_offer("loyalty_thanks", customer, shop),
        "email",
        Sentence("policy.reason.loyalty_thanks", {"n": customer.orders}),
        customer.item_ids,
    )
