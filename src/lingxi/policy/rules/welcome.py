"""Welcome: registered, but no order yet."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import Candidate, Proposal, ShopFacts
from lingxi.policy.offers import choose_offer
from lingxi.policy.rules.leave_alone import leave

FRESH_DAYS = 30
"""After this long without an order, a welcome would come too late to be one."""


def propose(customer: Candidate, shop: ShopFacts) -> Proposal | None:
    """Show the best of the shop to a newcomer, with the offer for a first order."""
    if customer.orders:
        return None
    days = int(customer.tenure_days)
    if customer.tenure_days > FRESH_DAYS:
        return leave("policy.reason.never_ordered", n=days)
    return Proposal(
        "welcome",
        choose_offer("welcome", customer, shop),
        "email",
        Sentence("policy.reason.welcome", {"n": days}),
        customer.item_ids,
    )
