"""Win back: a customer worth having is drifting away or has gone."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import NO_OFFER, Candidate, Proposal, ShopFacts
from lingxi.policy.offers import choose_offer
from lingxi.policy.rules.leave_alone import leave

_STAGES = frozenset({"at_risk", "lapsed", "lost"})


def propose(customer: Candidate, shop: ShopFacts) -> Proposal | None:
    """Write to who is worth it; the longer gone, the more it takes, and the rest are left alone."""
    if customer.stage not in _STAGES or customer.recency_days is None:
        return None
    facts: dict[str, str | int | float] = {
        "n": int(customer.recency_days),
        "gap_days": round(customer.usual_gap_days(shop)),
        "spent_cents": customer.net_revenue_cents,
        "currency": shop.currency,
    }
    if customer.stage == "lost" and customer.net_revenue_cents < shop.order_cents:
        return leave("policy.reason.gone_small", **facts)
    if customer.stage == "at_risk":
        return Proposal(
            "win_back",
            NO_OFFER,
            "email",
            Sentence("policy.reason.at_risk", facts),
            customer.item_ids,
        )
    valued = customer.value_cents >= shop.value_median_cents
    offer = choose_offer("win_back_valued" if valued else "win_back", customer, shop)
    return Proposal(
        "win_back",
        offer,
        "email",
        Sentence("policy.reason.gone", facts),
        customer.item_ids,
    )
