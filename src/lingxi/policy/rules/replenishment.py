"""Replenishment: something the customer buys regularly is about to run out."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import NO_OFFER, Candidate, Proposal, ShopFacts

_STAGES = frozenset({"active", "loyal", "at_risk", "won_back"})


def propose(customer: Candidate, _shop: ShopFacts) -> Proposal | None:
    """Remind of the item whose turn has come, first in the list; no discount is needed for it."""
    due = customer.due
    if due is None or customer.stage not in _STAGES:
        return None
    others = tuple(i for i in customer.item_ids if i != due.item_id)
    return Proposal(
        "replenishment",
        NO_OFFER,
        "email",
        Sentence(
            "policy.reason.replenishment",
            {
                "item": due.name or due.item_id,
                "gap_days": round(due.gap_days),
                "n": int(due.since_days),
            },
        ),
        (due.item_id, *others),
    )
