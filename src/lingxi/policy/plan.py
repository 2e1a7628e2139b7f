"""The plan: for every customer the next action, with offer, items, channel, reason and value."""

from collections.abc import Iterable
from dataclasses import dataclass

from lingxi.policy.candidate import Candidate, Proposal, ShopFacts
from lingxi.policy.offers import expected_value
from lingxi.policy.rules import decide
from lingxi.policy.rules.leave_alone import leave


@dataclass(frozen=True)
class PlannedAction:
    """One line of the plan: who, which rule decided, what it proposes, and the expected value."""

    customer: Candidate
    rule: str
    proposal: Proposal
    expected_value_cents: int | None


def make_plan(candidates: Iterable[Candidate], shop: ShopFacts) -> list[PlannedAction]:
    """One line for each candidate, the most valuable first, unknown values last."""
    return sorted((plan_one(candidate, shop) for candidate in candidates), key=_rank)


def _rank(line: PlannedAction) -> tuple[bool, int, int]:
    value = line.expected_value_cents
    return value is None, -(value or 0), line.customer.customer


def plan_one(customer: Candidate, shop: ShopFacts) -> PlannedAction:
    """The line of the plan for one customer."""
    rule, proposal = decide(customer, shop)
    if proposal.channel in customer.refuses:
        rule, proposal = "consent", leave("policy.reason.no_consent")
    value = expected_value(
        customer.churn_probability, customer.order_cents, proposal.offer, shop.delivery_cents
    )
    return PlannedAction(customer, rule, proposal, value)
