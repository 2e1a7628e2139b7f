"""Leave alone: a message would cost more than it can bring, or would interrupt what goes well."""

from lingxi.i18n import Sentence
from lingxi.policy.candidate import NO_OFFER, Candidate, Proposal, ShopFacts

RETURNS_TOO_MUCH = 0.5
"""Share of the goods sent back above which more selling only makes more returns."""

JUST_ORDERED_DAYS = 7
"""Thanks come within a week of the order or not at all."""

WAIT_BEFORE_ASKING = 0.5
"""Share of the usual gap between orders that must pass before anything is asked of the customer."""


def propose(customer: Candidate, shop: ShopFacts) -> Proposal | None:
    """Leave alone who brings nothing, sends most things back, or is not yet due for anything."""
    if customer.orders and customer.net_revenue_cents <= 0:
        return leave("policy.reason.no_net_revenue")
    if customer.return_rate is not None and customer.return_rate > RETURNS_TOO_MUCH:
        return leave("policy.reason.returns", return_share=customer.return_rate)
    usual = customer.usual_gap_days(shop)
    if (
        customer.orders > 1
        and customer.recency_days is not None
        and customer.stage in ("active", "loyal", "won_back")
        and not _is_to_be_thanked(customer)
        and customer.recency_days < WAIT_BEFORE_ASKING * usual
    ):
        return leave(
            "policy.reason.between_orders",
            n=int(customer.recency_days),
            gap_days=round(usual),
        )
    return None


def leave(code: str, **params: str | int | float) -> Proposal:
    """The proposal to do nothing, for the reason ``code``."""
    return Proposal("leave_alone", NO_OFFER, "none", Sentence(code, params))


def _is_to_be_thanked(customer: Candidate) -> bool:
    """A loyal customer's fresh order calls for a word of thanks, which asks for nothing."""
    return customer.stage == "loyal" and (customer.recency_days or 0.0) <= JUST_ORDERED_DAYS
