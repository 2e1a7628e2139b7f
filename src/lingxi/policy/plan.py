"""The plan: for every customer the next action, with offer, items, channel, reason and value."""

from collections.abc import Iterable
from dataclasses import dataclass

from lingxi.policy.candidate import NO_OFFER, Candidate, Proposal, ShopFacts
from lingxi.policy.offers import expected_value, offer_cost, take_one
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
    """One line for each candidate, the most valuable first, unknown values last.

    Where there is less of an offer than there are customers for it, those get it who are expected
    to bring most over the next year.
    """
    lines = []
    for customer in sorted(candidates, key=lambda one: (-one.value_cents, one.customer)):
        line, cost = _plan_one(customer, shop)
        lines.append(line)
        if line.proposal.offer != NO_OFFER:
            shop = take_one(shop, line.proposal.offer, cost)
    return sorted(lines, key=_rank)


def _rank(line: PlannedAction) -> tuple[bool, int, int]:
    value = line.expected_value_cents
    return value is None, -(value or 0), line.customer.customer


def _plan_one(customer: Candidate, shop: ShopFacts) -> tuple[PlannedAction, int]:
    """The line of the plan for one customer, and what its offer costs when taken up."""
    rule, proposal = decide(customer, shop)
    if proposal.channel in customer.refuses:
        rule, proposal = "consent", leave("policy.reason.no_consent")
    chosen = next((o.offer for o in shop.offers if o.offer.name == proposal.offer), None)
    cost = offer_cost(chosen, customer.order_cents, shop.delivery_cents)
    value = expected_value(customer.churn_probability, customer.order_cents, cost)
    return PlannedAction(customer, rule, proposal, value), cost
