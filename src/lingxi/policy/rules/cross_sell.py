"""Cross-sell: an active customer is due, and there is something that fits."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import NO_OFFER, Candidate, Proposal, ShopFacts

_STAGES = frozenset({"active", "loyal", "won_back"})


def propose(customer: Candidate, shop: ShopFacts) -> Proposal | None:
    """Suggest what goes with what was bought, without a discount."""
    if customer.stage not in _STAGES or not customer.item_ids or customer.recency_days is None:
        return None
    return Proposal(
        "cross_sell",
        NO_OFFER,
        "email" if customer.churn_level != "low" else "on_site",
        Sentence(
            "policy.reason.cross_sell",
            {
                "n": int(customer.recency_days),
                "gap_days": round(customer.usual_gap_days(shop)),
            },
        ),
        customer.item_ids,
    )
